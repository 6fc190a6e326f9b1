//! serde's view of the tree.
//!
//! Each value is handed to whoever asks as what it is, and a visitor that wanted something else
//! says so: hence every error knows its value, and `deserialize_any` shows an enum variant as an
//! enum, which `ron` itself cannot do (it shows the payload and forgets the name).

use super::failure::{Failure, Spot, What};
use super::tree::{Id, Node, Shape, Tree};
use serde::de::{self, DeserializeSeed, IntoDeserializer as _, Visitor};
use std::collections::BTreeSet;

/// What is decoded: a text, its tree, and what to leave out.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) tree: &'a Tree,
    pub(super) dropped: &'a BTreeSet<Id>,
}

impl Source<'_> {
    fn word(self, span: super::tree::Span) -> String {
        let word = span.of(self.text);
        word.strip_prefix("r#").unwrap_or(word).to_owned()
    }
}

/// A value of the tree, as serde's deserializer.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    source: Source<'a>,
    id: Id,
    /// The tag belongs to an enum variant around this value: `Shared(cap: 3)` for the struct inside.
    untagged: bool,
}

impl<'a> Value<'a> {
    pub(super) const fn new(source: Source<'a>, id: Id) -> Self {
        Self { source, id, untagged: false }
    }

    fn node(self) -> &'a Node {
        &self.source.tree[self.id]
    }

    fn text(self) -> &'a str {
        self.node().span.of(self.source.text)
    }

    fn tag(self) -> Option<String> {
        let tag = self.node().tag.filter(|_| !self.untagged)?;
        Some(self.source.word(tag))
    }

    /// The only value in parentheses, under this tag or none.
    fn wrapped(self, tag: &str) -> Option<Self> {
        let node = self.node();
        let fits = node.shape == Shape::Tuple && self.tag().is_none_or(|written| written == tag);
        match node.children[..] {
            [only] if fits => Some(Self::new(self.source, only)),
            _ => None,
        }
    }

    fn expected<'de, V: Visitor<'de>>(self, visitor: &V) -> Failure {
        let expected = (visitor as &dyn de::Expected).to_string();
        Failure::new(What::Expected(expected)).at(self.id)
    }

    /// A failure of what an enum variant holds, where that is not a value of its own in the tree.
    fn payload(self, failure: Failure) -> Failure {
        let failure = failure.at(self.id);
        match (&failure.what, failure.at, self.node().tag) {
            (What::Expected(_), Some(Spot::Value(id)), Some(tag)) if id == self.id => {
                Failure { owner: Some(self.source.word(tag)), ..failure }
            }
            _ => failure,
        }
    }

    /// What only `ron` can judge: the escapes in a text.
    fn scalar<T: de::DeserializeOwned>(self) -> Result<T, Failure> {
        super::ron().from_str(self.text()).map_err(|error| Failure::new(What::Ron(error.code)))
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let (ron, text) = (super::ron(), self.text());
        if let Ok(number) = ron.from_str::<u64>(text) {
            visitor.visit_u64(number)
        } else if let Ok(number) = ron.from_str::<i64>(text) {
            visitor.visit_i64(number)
        } else if let Ok(number) = ron.from_str::<f64>(text) {
            visitor.visit_f64(number)
        } else {
            Err(self.expected(&visitor))
        }
    }

    fn items<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let mut items = self.entries("");
        let value = visitor.visit_seq(&mut items)?;
        match items.children.next() {
            None => Ok(value),
            Some(extra) => Err(Failure::new(What::TooMany).at(extra)),
        }
    }

    /// What is inside the brackets and not dropped.
    fn entries<'b>(self, owner: &'b str) -> Entries<'b, impl Iterator<Item = Id> + use<'a>>
    where
        'a: 'b,
    {
        let dropped = self.source.dropped;
        let children = self.node().children.iter().copied().filter(|id| !dropped.contains(id));
        Entries { source: self.source, children, current: None, owner }
    }

    /// The fields of a struct or struct variant. Other than serde, `ron` takes no list or map for one.
    fn fields<'de, V: Visitor<'de>>(
        self,
        owner: &str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let empty = self.node().shape == Shape::Tuple && self.node().children.is_empty();
        if self.node().shape != Shape::Struct && !empty || self.tag().is_some_and(|tag| tag != owner) {
            return Err(Failure::new(What::NoFields { known }).own(owner, self.id));
        }
        visitor.visit_map(self.entries(owner)).map_err(|failure| failure.own(owner, self.id))
    }
}

/// Methods that differ from `deserialize_any` are those where the asker's hint decides.
impl<'de> de::Deserializer<'de> for Value<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let node = self.node();
        let result = match node.shape {
            _ if self.tag().is_some() => visitor.visit_enum(self),
            Shape::Text => self.scalar().and_then(|text| visitor.visit_string(text)),
            Shape::Char => self.scalar().and_then(|c| visitor.visit_char(c)),
            Shape::Bool => visitor.visit_bool(self.text() == "true"),
            Shape::Number => self.number(visitor),
            Shape::Struct => visitor.visit_map(self.entries("")),
            Shape::Map => visitor.visit_map(self.entries("")),
            Shape::Tuple if node.children.is_empty() => visitor.visit_unit(),
            Shape::Tuple | Shape::List => self.items(visitor),
            Shape::Bytes | Shape::Bare | Shape::Hole => Err(self.expected(&visitor)),
        };
        result.map_err(|failure| failure.at(self.id))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let result = match (self.tag().as_deref(), self.node().shape) {
            (Some("None"), Shape::Bare) => visitor.visit_none(),
            (Some("Some"), Shape::Struct) => visitor.visit_some(Self { untagged: true, ..self }),
            (Some("Some"), Shape::Tuple) => match self.wrapped("Some") {
                Some(inside) => visitor.visit_some(inside),
                None => visitor.visit_some(Self { untagged: true, ..self }),
            },
            _ => visitor.visit_some(self),
        };
        result.map_err(|failure| failure.at(self.id))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        let inside = self.wrapped(name).unwrap_or(self);
        visitor.visit_newtype_struct(inside).map_err(|failure| failure.at(self.id))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        if self.node().shape == Shape::Bare && self.tag().as_deref() == Some(name) {
            return visitor.visit_unit();
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.node().shape != Shape::List {
            return Err(self.expected(&visitor));
        }
        self.items(visitor).map_err(|failure| failure.at(self.id))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_tuple_struct("", 0, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if self.node().shape != Shape::Tuple || self.tag().is_some_and(|tag| tag != name) {
            return Err(self.expected(&visitor));
        }
        self.items(visitor).map_err(|failure| failure.at(self.id))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.node().shape != Shape::Map {
            return Err(self.expected(&visitor));
        }
        visitor.visit_map(self.entries("")).map_err(|failure| failure.at(self.id))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.fields(name, known, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if self.tag().is_none() {
            return Err(Failure::new(What::NoVariant { known }).of(name).at(self.id));
        }
        visitor.visit_enum(self).map_err(|failure| failure.own(name, self.id))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
    }
}

/// An enum variant: its name is the tag, its payload what stands in the parentheses.
impl<'de> de::EnumAccess<'de> for Value<'_> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Failure> {
        let tag = self.tag().unwrap_or_default();
        let variant = seed.deserialize(tag.into_deserializer())?;
        Ok((variant, Self { untagged: true, ..self }))
    }
}

impl<'de> de::VariantAccess<'de> for Value<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.node().shape {
            Shape::Bare => Ok(()),
            _ => Err(Failure::new(What::TakesNothing).at(self.id)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        match (self.node().shape, &self.node().children[..]) {
            (Shape::Bare, _) => Err(Failure::new(What::TakesSomething).at(self.id)),
            (Shape::Tuple, [only]) => seed.deserialize(Self::new(self.source, *only)),
            _ => seed.deserialize(self).map_err(|failure| self.payload(failure)),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        match self.node().shape {
            Shape::Tuple => self.items(visitor).map_err(|failure| failure.at(self.id)),
            Shape::Bare => Err(Failure::new(What::TakesSomething).at(self.id)),
            _ => Err(self.expected(&visitor)),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, known: &'static [&'static str], visitor: V) -> Result<V::Value, Failure> {
        if self.node().shape == Shape::Bare {
            return Err(Failure::new(What::TakesSomething).at(self.id));
        }
        let owner = self.node().tag.map(|tag| self.source.word(tag)).unwrap_or_default();
        self.fields(&owner, known, visitor)
    }
}

/// What stands in a pair of brackets, one after the other.
struct Entries<'a, I> {
    source: Source<'a>,
    children: I,
    current: Option<Id>,
    owner: &'a str,
}

impl<'de, I: Iterator<Item = Id>> de::SeqAccess<'de> for Entries<'_, I> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some(id) = self.children.next() else { return Ok(None) };
        seed.deserialize(Value::new(self.source, id)).map(Some).map_err(|failure| failure.at(id))
    }
}

impl<'de, I: Iterator<Item = Id>> de::MapAccess<'de> for Entries<'_, I> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.current = self.children.next();
        let Some(id) = self.current else { return Ok(None) };
        let name = self.source.tree[id].name.as_ref();
        let key = match name.and_then(|name| name.key) {
            Some(key) => seed.deserialize(Value::new(self.source, key)),
            None => seed.deserialize(name.map_or("", |name| name.text.as_str()).into_deserializer()),
        };
        key.map(Some).map_err(|failure| Failure { at: Some(Spot::Name(id)), ..failure.of(self.owner) })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let Some(id) = self.current else { return Err(de::Error::custom("a value without a key")) };
        seed.deserialize(Value::new(self.source, id)).map_err(|failure| failure.at(id))
    }
}
