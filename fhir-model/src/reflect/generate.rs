//! The macros that generated code calls, one for a struct and one for a choice.

/// Writes the reflective parts of a generated struct.
#[macro_export]
#[doc(hidden)]
macro_rules! complex {
    ($name:ident, $info:ident; $($index:literal $field:ident),* $(,)?) => {
        impl $crate::reflect::Complex for $name {
            fn type_info(&self) -> &'static $crate::reflect::TypeInfo {
                &$info
            }
            fn slot(&self, field: usize) -> $crate::reflect::Slot<'_> {
                match field {
                    $($index => $crate::reflect::AsSlot::slot(&self.$field),)*
                    _ => $crate::reflect::Slot::Absent,
                }
            }
            fn slot_mut(&mut self, field: usize) -> Option<$crate::reflect::SlotMut<'_>> {
                match field {
                    $($index => Some($crate::reflect::AsSlot::slot_mut(&mut self.$field)),)*
                    _ => None,
                }
            }
            fn as_any(&self) -> &dyn std::any::Any {
                self
            }
            fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
                self
            }
        }
        impl From<$name> for Option<Box<$name>> {
            fn from(value: $name) -> Self {
                Some(Box::new(value))
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::reflect::equal(self, other)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::json::debug(self, f)
            }
        }
    };
}

/// Writes the reflective parts of a generated choice enum; `P` marks a primitive, `C` a boxed datatype.
#[macro_export]
#[doc(hidden)]
macro_rules! choice {
    ($name:ident; $($index:literal $kind:ident $variant:ident),* $(,)?) => {
        impl $crate::reflect::Choice for $name {
            fn of_variant(variant: usize) -> Option<Self> {
                match variant {
                    $($index => Some(Self::$variant(Default::default())),)*
                    _ => None,
                }
            }
            fn node(&self) -> (usize, $crate::reflect::ChoiceNode<'_>) {
                match self {
                    $(Self::$variant(value) => ($index, $crate::choice!(@node $kind value)),)*
                }
            }
            fn node_mut(&mut self) -> (usize, $crate::reflect::ChoiceNodeMut<'_>) {
                match self {
                    $(Self::$variant(value) => ($index, $crate::choice!(@node_mut $kind value)),)*
                }
            }
        }
        impl $crate::reflect::AsSlot for Option<$name> {
            fn slot(&self) -> $crate::reflect::Slot<'_> {
                match self.as_ref().map($crate::reflect::Choice::node) {
                    Some((variant, node)) => $crate::reflect::Slot::Choice(variant, node),
                    None => $crate::reflect::Slot::Absent,
                }
            }
            fn slot_mut(&mut self) -> $crate::reflect::SlotMut<'_> {
                $crate::reflect::SlotMut::Choice(self)
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                use $crate::reflect::Choice;
                $crate::reflect::equal_choices(self.node(), other.node())
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                use $crate::reflect::Choice;
                let name = match self {
                    $(Self::$variant(_) => stringify!($variant),)*
                };
                $crate::reflect::debug_choice(name, self.node().1, f)
            }
        }
    };
    (@node P $value:ident) => { $crate::reflect::ChoiceNode::Primitive($value) };
    (@node C $value:ident) => { $crate::reflect::ChoiceNode::Complex(&**$value) };
    (@node_mut P $value:ident) => { $crate::reflect::ChoiceNodeMut::Primitive($value) };
    (@node_mut C $value:ident) => { $crate::reflect::ChoiceNodeMut::Complex(&mut **$value) };
}
