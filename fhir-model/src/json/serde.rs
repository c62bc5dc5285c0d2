//! serde for the typed values: one generic visitor each way.
//!
//! A `serde_json::Value` made here has decimals as binary floating point (f64), so trailing zeros and digits beyond the
//! seventeenth are lost; whoever needs them reads and writes text with [`from_slice`](super::from_slice) and
//! [`to_vec`](super::to_vec).

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::fmt;

use crate::primitive::Scalar;
use crate::reflect::{ChoiceNode, Complex, PrimitiveNode, Shape, Slot, TypeKind};
use crate::resource::Resource;

/// Serialises any complex value as FHIR JSON.
pub struct Json<'a>(pub &'a dyn Complex);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let info = self.0.type_info();
        let mut map = serializer.serialize_map(None)?;
        if info.kind == TypeKind::Resource {
            map.serialize_entry("resourceType", info.name)?;
        }
        for (index, field) in info.fields.iter().enumerate() {
            match (self.0.slot(index), &field.shape) {
                (Slot::Absent, _) => {}
                (Slot::Complex(c), _) => map.serialize_entry(field.name, &Json(c))?,
                (Slot::Complexes(list), _) => {
                    map.serialize_entry(field.name, &Items(list.len(), |i| list.at(i).map(Json)))?;
                }
                (Slot::Primitive(p), _) => primitive(&mut map, field.name, p)?,
                (Slot::Primitives(list), _) => {
                    let items = || (0..list.len()).filter_map(|i| list.at(i));
                    if items().any(|p| p.scalar().is_some()) {
                        map.serialize_entry(field.name, &Items(list.len(), |i| list.at(i).map(Value)))?;
                    }
                    if items().any(|p| p.extras().is_some()) {
                        let extras = |i| list.at(i).map(|p| p.extras().map(|e| Json(e)));
                        map.serialize_entry(&format!("_{}", field.name), &Items(list.len(), extras))?;
                    }
                }
                (Slot::Choice(variant, node), Shape::Choice(variants)) => {
                    let Some(variant) = variants.get(variant) else {
                        continue;
                    };
                    match node {
                        ChoiceNode::Primitive(p) => primitive(&mut map, variant.name, p)?,
                        ChoiceNode::Complex(c) => map.serialize_entry(variant.name, &Json(c))?,
                    }
                }
                (Slot::Choice(..), _) => {}
            }
        }
        map.end()
    }
}

fn primitive<M: SerializeMap>(map: &mut M, name: &str, p: &dyn PrimitiveNode) -> Result<(), M::Error> {
    if p.scalar().is_some() {
        map.serialize_entry(name, &Value(p))?;
    }
    match p.extras() {
        Some(extras) => map.serialize_entry(&format!("_{name}"), &Json(extras)),
        None => Ok(()),
    }
}

/// A primitive's value; null where there is none.
struct Value<'a>(&'a dyn PrimitiveNode);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.scalar() {
            None => serializer.serialize_none(),
            Some(Scalar::Boolean(b)) => serializer.serialize_bool(b),
            Some(Scalar::Integer(i)) => serializer.serialize_i32(i),
            Some(Scalar::Unsigned(i)) => serializer.serialize_u32(i),
            Some(Scalar::Decimal(d)) => serializer.serialize_f64(d.to_f64()),
            Some(other) => serializer.serialize_str(&other.text()),
        }
    }
}

/// A sequence whose items are made on demand.
struct Items<F>(usize, F);

impl<T: Serialize, F: Fn(usize) -> Option<T>> Serialize for Items<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0))?;
        for i in 0..self.0 {
            seq.serialize_element(&(self.1)(i))?;
        }
        seq.end()
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Json(self.as_complex()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Resource {
    /// Strict, as [`from_slice`](super::from_slice).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Transcode)?;
        super::from_slice(&text).map_err(de::Error::custom)
    }
}

/// Writes whatever a deserialiser gives as JSON text, for the one reader.
struct Transcode;

struct Text(Vec<u8>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Transcode).map(Text)
    }
}

impl<'de> Visitor<'de> for Transcode {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a FHIR resource")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Vec<u8>, E> {
        Ok(v.to_string().into_bytes())
    }
    fn visit_i64<E>(self, v: i64) -> Result<Vec<u8>, E> {
        Ok(v.to_string().into_bytes())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Vec<u8>, E> {
        Ok(v.to_string().into_bytes())
    }
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Vec<u8>, E> {
        if v.is_finite() {
            Ok(format!("{v}").into_bytes())
        } else {
            Err(E::custom("a number that is not finite"))
        }
    }
    fn visit_unit<E>(self) -> Result<Vec<u8>, E> {
        Ok(b"null".to_vec())
    }
    fn visit_none<E>(self) -> Result<Vec<u8>, E> {
        Ok(b"null".to_vec())
    }
    fn visit_str<E>(self, v: &str) -> Result<Vec<u8>, E> {
        let mut out = Vec::with_capacity(v.len() + 2);
        super::writer::string(v, &mut out);
        Ok(out)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
        let mut out = vec![b'['];
        while let Some(Text(item)) = seq.next_element()? {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend(item);
        }
        out.push(b']');
        Ok(out)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<u8>, A::Error> {
        let mut out = vec![b'{'];
        while let Some((key, Text(value))) = map.next_entry::<String, Text>()? {
            if out.len() > 1 {
                out.push(b',');
            }
            super::writer::string(&key, &mut out);
            out.push(b':');
            out.extend(value);
        }
        out.push(b'}');
        Ok(out)
    }
}
