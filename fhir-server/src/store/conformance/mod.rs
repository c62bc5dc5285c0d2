//! What every back end must do, as cases that any of them runs against a fresh, empty database each. A back end of one's own runs them in
//! a test: `examples/store` does.
//!
//! ```no_run
//! # async fn suite() -> Result<(), String> {
//! use fhir_server::store::{DatabaseUrl, StoreOptions, conformance, open};
//! let mut n = 0;
//! conformance::run(|clock| {
//!     n += 1;
//!     let mut options = StoreOptions::default();
//!     options.clock = clock;
//!     let store = open(&DatabaseUrl::Sqlite(format!("/tmp/case-{n}.db").into()), &options);
//!     std::future::ready(store)
//! })
//! .await
//! # }
//! ```

#[cfg(test)]
mod aged;
mod audit;
mod cases;
mod claims;
mod commits;
mod criteria;
mod emptied;
mod epochs;
mod fixture;
mod history;
mod joins;
mod purged;
mod race;
mod random;
mod search;
mod versions;

use std::future::Future;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

#[cfg(test)]
pub(crate) use self::aged::history_to_migrate;
use self::fixture::{Checked, Fixture, ManualClock};
use super::Store;
use crate::context::Clock;
use crate::error::Result;

/// One behaviour.
pub struct Case {
    /// What is shown, as a sentence.
    pub name: &'static str,
    run: fn(Fixture) -> BoxFuture<'static, Checked>,
}

macro_rules! cases {
    ($($module:ident { $($name:ident,)* })*) => {
        /// Every case.
        pub const CASES: &[Case] = &[$($(Case {
            name: stringify!($name),
            run: |fixture| $module::$name(fixture).boxed(),
        },)*)*];
    };
}

cases! {
    versions {
        a_created_resource_reads_back_as_it_was_written,
        creating_under_an_id_in_use_is_refused,
        an_update_makes_the_next_version_and_keeps_the_earlier_ones,
        an_update_with_equal_content_writes_nothing,
        an_update_of_an_unknown_id_creates_only_where_allowed,
        a_deletion_is_a_version_without_a_body,
        deleting_nothing_writes_nothing,
        an_update_after_a_deletion_continues_the_count,
        a_filter_hides_reads_and_versions,
        large_and_small_bodies_come_back_whole,
        every_kind_of_id_is_its_own,
        times_never_go_back,
    }
    history {
        a_history_lists_versions_newest_first_at_three_levels,
        history_pages_neither_skip_nor_repeat,
        since_and_at_choose_versions_by_time,
        a_history_shows_only_what_the_filter_lets_through,
        history_totals_stop_at_the_limit,
    }
    search {
        a_search_lists_current_resources_in_either_order,
        pages_after_a_mark_leave_out_what_changed_since,
        every_filter_selects_what_it_says,
        a_filter_of_any_size_is_answered_or_refused,
        totals_count_what_the_search_would_list,
        the_mark_rises_with_every_change,
    }
    cases {
        each_test_finds_what_it_says_and_not_what_is_near,
    }
    joins {
        a_composite_matches_within_one_group_only,
        chains_go_through_current_resources_only,
        values_of_a_parameter_order_a_search,
    }
    criteria {
        a_filter_on_rows_holds_for_reads_versions_and_histories,
        a_refused_commit_leaves_no_rows,
        orders_that_cannot_be_are_refused,
        rows_are_made_anew_from_where_that_stopped,
        random_questions_are_answered_as_by_looking_at_every_row,
    }
    commits {
        conditions_on_versions_hold_or_stop_the_commit,
        a_condition_on_visibility_uses_the_filter,
        a_commit_that_fails_at_any_write_leaves_nothing,
        a_refused_commit_does_not_touch_its_neighbours,
        tenants_do_not_see_each_other,
        a_snapshot_does_not_move,
        one_snapshot_answers_several_questions_at_once,
        a_commit_whose_time_has_passed_writes_nothing,
    }
    claims {
        a_claim_is_held_by_one,
        a_claim_keeps_what_was_done_before_it,
        a_claim_falls_with_its_commit,
        a_claim_that_has_run_out_is_free,
        the_oldest_claims_of_an_owner_give_way_and_nobody_elses,
    }
    audit {
        a_row_is_written_with_its_commit_or_not_at_all,
        a_row_is_found_by_its_patients_before_while_and_after_it_is_listed,
        every_test_of_the_trail_selects_what_it_says,
        trails_of_tenants_are_apart,
        seals_follow_each_other_by_number,
        what_resources_refer_to_is_told_whether_stored_or_not,
    }
    epochs {
        every_change_of_a_definition_moves_the_epoch_of_its_type_alone,
        an_epoch_falls_with_its_commit,
        a_commit_that_expects_an_epoch_is_refused_under_another,
        a_view_keeps_its_epochs,
        a_note_about_definitions_is_kept_and_moves_the_epoch_where_it_shall,
    }
    emptied {
        an_emptied_tenant_holds_nothing_but_its_trail_and_the_claims_that_stay,
        what_follows_in_the_same_commit_finds_an_empty_tenant,
        a_view_of_before_an_emptying_keeps_what_it_has,
        an_emptying_falls_with_its_commit,
        an_emptying_moves_every_epoch_and_forgets_what_was_noted,
        an_emptying_leaves_other_tenants_alone,
    }
    purged {
        nothing_is_left_of_what_is_purged,
        a_purged_id_is_as_never_used_and_is_found_again_by_the_same_rows,
        a_purge_falls_with_its_commit_and_stands_where_it_may,
        a_purge_leaves_other_tenants_and_views_of_before_alone,
        purging_a_definition_moves_its_epoch,
    }
    race {
        of_racing_conditional_updates_one_wins_a_version,
        racing_updates_make_one_unbroken_history,
        of_racing_creates_one_wins,
        of_racing_claims_one_wins,
        what_was_acknowledged_is_seen_at_once,
    }
}

/// Runs every case, each on a store that `make_store` has made of an empty database with the clock given.
///
/// # Errors
/// The cases that fail, a line each.
pub async fn run<F, Made>(mut make_store: F) -> std::result::Result<(), String>
where
    F: FnMut(Arc<dyn Clock>) -> Made,
    Made: Future<Output = Result<Arc<dyn Store>>>,
{
    let mut failures = Vec::new();
    for case in CASES {
        let clock = Arc::new(ManualClock::default());
        let checked = match make_store(clock.clone()).await {
            Ok(store) => {
                let checked = (case.run)(Fixture {
                    store: store.clone(),
                    clock,
                })
                .await;
                store.close().await;
                checked
            }
            Err(error) => Err(error.into()),
        };
        if let Err(failure) = checked {
            failures.push(format!("{}: {failure}", case.name));
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}
