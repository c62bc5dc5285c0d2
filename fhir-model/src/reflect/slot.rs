//! The reflective view of each field type that a generated struct can have.

use super::{AsSlot, Choice, ChoiceNodeMut, ChoiceSlot, Complex, ComplexList, ComplexSlot, Slot, SlotMut};
use crate::resource::Resource;

impl<T: Complex + Default> AsSlot for Option<Box<T>> {
    fn slot(&self) -> Slot<'_> {
        match self {
            Some(value) => Slot::Complex(&**value),
            None => Slot::Absent,
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Complex(self)
    }
}

impl<T: Complex + Default> ComplexSlot for Option<Box<T>> {
    fn get_or_insert(&mut self) -> &mut dyn Complex {
        &mut **self.get_or_insert_with(Box::default)
    }
    fn clear(&mut self) {
        *self = None;
    }
}

impl<T: Complex + Default> AsSlot for Vec<T> {
    fn slot(&self) -> Slot<'_> {
        if self.is_empty() {
            Slot::Absent
        } else {
            Slot::Complexes(self)
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Complexes(self)
    }
}

impl<T: Complex + Default> ComplexList for Vec<T> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn at(&self, index: usize) -> Option<&dyn Complex> {
        self.get(index).map(|v| v as &dyn Complex)
    }
    fn at_mut(&mut self, index: usize) -> Option<&mut dyn Complex> {
        self.get_mut(index).map(|v| v as &mut dyn Complex)
    }
    fn push(&mut self) -> Option<&mut dyn Complex> {
        Vec::push(self, T::default());
        self.last_mut().map(|v| v as &mut dyn Complex)
    }
    fn clear(&mut self) {
        Vec::clear(self);
    }
}

impl AsSlot for Option<Resource> {
    fn slot(&self) -> Slot<'_> {
        match self {
            Some(resource) => Slot::Complex(resource.as_complex()),
            None => Slot::Absent,
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Resource(self)
    }
}

impl AsSlot for Vec<Resource> {
    fn slot(&self) -> Slot<'_> {
        if self.is_empty() {
            Slot::Absent
        } else {
            Slot::Complexes(self)
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Resources(self)
    }
}

impl ComplexList for Vec<Resource> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn at(&self, index: usize) -> Option<&dyn Complex> {
        self.get(index).map(Resource::as_complex)
    }
    fn at_mut(&mut self, index: usize) -> Option<&mut dyn Complex> {
        self.get_mut(index).map(Resource::as_complex_mut)
    }
    fn push(&mut self) -> Option<&mut dyn Complex> {
        None
    }
    fn clear(&mut self) {
        Vec::clear(self);
    }
}

impl<C: Choice> ChoiceSlot for Option<C> {
    fn variant(&self) -> Option<usize> {
        self.as_ref().map(|c| c.node().0)
    }
    fn select(&mut self, variant: usize) -> Option<ChoiceNodeMut<'_>> {
        if ChoiceSlot::variant(self) != Some(variant) {
            *self = Some(C::of_variant(variant)?);
        }
        self.as_mut().map(|c| c.node_mut().1)
    }
    fn clear(&mut self) {
        *self = None;
    }
}
