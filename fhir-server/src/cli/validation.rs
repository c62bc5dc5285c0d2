//! How strictly what is written is validated, as options of `serve` and `load`.

use clap::ValueEnum;
use fhir_server::config::ValidationConfig;
use fhir_server::engine::{Check, OnBreach};

/// How strictly what is written is validated.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Validation")]
pub(super) struct ValidationArgs {
    /// What a resource is held against when it is written: nothing beyond reading it, the shape and rules of R4, or also
    /// the profiles that it claims. Default: base.
    #[arg(long, value_name = "LEVEL", env = "FHIR_SERVER_VALIDATION")]
    validation: Option<Level>,
    /// Record what breaks that, and only warn of it.
    #[arg(long, env = "FHIR_SERVER_VALIDATION_WARN")]
    validation_warn: bool,
    /// Refuse unknown codes and extensions, NHS numbers with a wrong check digit, and narratives with more than FHIR allows.
    #[arg(long, env = "FHIR_SERVER_VALIDATION_STRICT")]
    validation_strict: bool,
    /// Hold each resource of a type against a profile: its canonical URL, or the name of one of UK Core, such as
    /// Patient=UKCore-Patient. May be given several times.
    #[arg(
        long = "profile",
        value_name = "TYPE=PROFILE",
        value_parser = type_and_profile,
        value_delimiter = ',',
        env = "FHIR_SERVER_PROFILES"
    )]
    profiles: Vec<(String, String)>,
}

/// As [`Check`], for the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    Off,
    Base,
    Profile,
}

fn type_and_profile(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, profile)) if !name.is_empty() && !profile.is_empty() => Ok((name.into(), profile.into())),
        _ => Err("expected a type and a profile, such as Patient=UKCore-Patient".into()),
    }
}

impl ValidationArgs {
    /// Sets the configuration to what the options say.
    pub(super) fn set(&self, config: &mut ValidationConfig) {
        match self.validation {
            Some(Level::Off) => config.level = Check::Off,
            Some(Level::Base) => config.level = Check::Base,
            Some(Level::Profile) => config.level = Check::Profile,
            None => {}
        }
        if self.validation_warn {
            config.breach = OnBreach::Warn;
        }
        config.strict |= self.validation_strict;
        for (name, profile) in &self.profiles {
            let of_type = config.types.entry(name.clone()).or_default();
            of_type.profiles.push(profile.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: ValidationArgs,
    }

    fn config(options: &[&str]) -> ValidationConfig {
        let line = std::iter::once("serve").chain(options.iter().copied());
        let mut config = ValidationConfig::default();
        Line::parse_from(line).args.set(&mut config);
        config
    }

    #[test]
    fn the_options_are_the_configuration() {
        assert_eq!(config(&[]), ValidationConfig::default());
        let set = config(&[
            "--validation",
            "profile",
            "--validation-warn",
            "--validation-strict",
            "--profile",
            "Patient=UKCore-Patient,Observation=http://example.org/o",
        ]);
        assert_eq!(
            (set.level, set.breach, set.strict),
            (Check::Profile, OnBreach::Warn, true)
        );
        assert_eq!(set.types["Patient"].profiles, ["UKCore-Patient"]);
        assert_eq!(set.types["Observation"].profiles, ["http://example.org/o"]);
        assert!(Line::try_parse_from(["serve", "--profile", "UKCore-Patient"]).is_err());
    }
}
