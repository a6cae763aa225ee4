use bytes::Bytes;
use rmp::Marker;

use super::writer::Writer;
use super::{extension, malformed};
use crate::{Limits, Undecodable, wire_time};

/// The extension type that msgpack itself defines.
const TIMESTAMP: i8 = -1;

pub(super) fn to_json(body: &[u8], limits: &Limits) -> Result<Bytes, Undecodable> {
    let mut reader = Reader { rest: body };
    let mut json = Writer::new(limits, body.len().saturating_mul(2).min(limits.max_bytes));
    // How many values are to come in each open array and object, the names of members among them.
    let mut open: Vec<usize> = Vec::new();
    loop {
        let name = json.wants_name();
        if let Some(inside) = reader.value(&mut json, name)? {
            open.push(inside);
        }
        while open.last() == Some(&0) {
            open.pop();
            json.end();
        }
        match open.last_mut() {
            None => break,
            Some(left) => *left -= 1,
        }
    }
    if reader.rest.is_empty() {
        json.finish().map(Bytes::from)
    } else {
        Err(malformed("more than one value"))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads one value; of an array or object only its head, answering how many values are inside.
    fn value(&mut self, json: &mut Writer, is_name: bool) -> Result<Option<usize>, Undecodable> {
        let marker = Marker::from_u8(self.number::<1>()?[0]);
        if is_name {
            return self.name(json, marker).map(|()| None);
        }
        if let Some((length, is_map)) = self.container(marker)? {
            return self.begin(json, length, is_map).map(Some);
        }
        self.scalar(json, marker).map(|()| None)
    }

    fn container(&mut self, marker: Marker) -> Result<Option<(usize, bool)>, Undecodable> {
        Ok(Some(match marker {
            Marker::FixArray(length) => (usize::from(length), false),
            Marker::FixMap(length) => (usize::from(length), true),
            Marker::Array16 => (self.length::<2>()?, false),
            Marker::Array32 => (self.length::<4>()?, false),
            Marker::Map16 => (self.length::<2>()?, true),
            Marker::Map32 => (self.length::<4>()?, true),
            _ => return Ok(None),
        }))
    }

    /// A length is believed only as far as there are bytes, of which each value takes one at least.
    fn begin(&self, json: &mut Writer, length: usize, is_map: bool) -> Result<usize, Undecodable> {
        let values = if is_map { length.saturating_mul(2) } else { length };
        if values > self.rest.len() {
            return Err(cut_short());
        }
        let begun = if is_map { json.begin_object() } else { json.begin_array() };
        begun.map(|()| values)
    }

    fn scalar(&mut self, json: &mut Writer, marker: Marker) -> Result<(), Undecodable> {
        if let Some(length) = self.string_length(marker)? {
            return json.string(self.text(length)?);
        }
        if let Some(number) = self.integer(marker)? {
            return json.literal(&number.to_string());
        }
        match marker {
            Marker::Null => json.literal("null"),
            Marker::False => json.literal("false"),
            Marker::True => json.literal("true"),
            Marker::F32 => json.float(f64::from(f32::from_be_bytes(self.number()?))),
            Marker::F64 => json.float(f64::from_be_bytes(self.number()?)),
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let length = self.binary_length(marker)?;
                extension::put_bytes(json, self.bytes(length)?)
            }
            _ => self.extension(json, marker),
        }
    }

    /// The name of a member. JSON has texts only, so other scalars are written as kombu's JSON writes them.
    fn name(&mut self, json: &mut Writer, marker: Marker) -> Result<(), Undecodable> {
        if let Some(length) = self.string_length(marker)? {
            return json.name(self.text(length)?);
        }
        if let Some(number) = self.integer(marker)? {
            return json.name(&number.to_string());
        }
        match marker {
            Marker::Null => json.name("null"),
            Marker::False => json.name("false"),
            Marker::True => json.name("true"),
            _ => Err(malformed("a map has a key that JSON cannot have")),
        }
    }

    fn string_length(&mut self, marker: Marker) -> Result<Option<usize>, Undecodable> {
        Ok(Some(match marker {
            Marker::FixStr(length) => usize::from(length),
            Marker::Str8 => self.length::<1>()?,
            Marker::Str16 => self.length::<2>()?,
            Marker::Str32 => self.length::<4>()?,
            _ => return Ok(None),
        }))
    }

    fn binary_length(&mut self, marker: Marker) -> Result<usize, Undecodable> {
        match marker {
            Marker::Bin8 => self.length::<1>(),
            Marker::Bin16 => self.length::<2>(),
            _ => self.length::<4>(),
        }
    }

    fn integer(&mut self, marker: Marker) -> Result<Option<i128>, Undecodable> {
        Ok(Some(match marker {
            Marker::FixPos(value) => value.into(),
            Marker::FixNeg(value) => value.into(),
            Marker::U8 => u8::from_be_bytes(self.number()?).into(),
            Marker::U16 => u16::from_be_bytes(self.number()?).into(),
            Marker::U32 => u32::from_be_bytes(self.number()?).into(),
            Marker::U64 => u64::from_be_bytes(self.number()?).into(),
            Marker::I8 => i8::from_be_bytes(self.number()?).into(),
            Marker::I16 => i16::from_be_bytes(self.number()?).into(),
            Marker::I32 => i32::from_be_bytes(self.number()?).into(),
            Marker::I64 => i64::from_be_bytes(self.number()?).into(),
            _ => return Ok(None),
        }))
    }

    fn extension(&mut self, json: &mut Writer, marker: Marker) -> Result<(), Undecodable> {
        let length = match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => self.length::<1>()?,
            Marker::Ext16 => self.length::<2>()?,
            Marker::Ext32 => self.length::<4>()?,
            _ => return Err(malformed("a byte that msgpack never uses")),
        };
        let kind = i8::from_be_bytes(self.number()?);
        let data = self.bytes(length)?;
        let time = (kind == TIMESTAMP).then(|| timestamp(data)).flatten();
        let time =
            time.ok_or_else(|| malformed(format!("the msgpack extension type {kind} is not known")))?;
        extension::put(json, "datetime", &time)
    }

    fn length<const N: usize>(&mut self) -> Result<usize, Undecodable> {
        let bytes = self.number::<N>()?;
        Ok(bytes.into_iter().fold(0, |length, byte| length << 8 | usize::from(byte)))
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Undecodable> {
        let (number, rest) = self.rest.split_first_chunk().ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(*number)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Undecodable> {
        std::str::from_utf8(self.bytes(length)?)
            .map_err(|error| malformed(format!("a text is not UTF-8: {error}")))
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Undecodable> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// The time that msgpack writes as seconds, or as nanoseconds and seconds in one of two ways.
fn timestamp(data: &[u8]) -> Option<String> {
    let (secs, nanos) = match data.len() {
        4 => (i64::from(u32::from_be_bytes(data.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(data.try_into().ok()?);
            ((both & 0x3_ffff_ffff) as i64, (both >> 34) as u32)
        }
        12 => {
            let (nanos, secs) = data.split_first_chunk()?;
            (i64::from_be_bytes(secs.try_into().ok()?), u32::from_be_bytes(*nanos))
        }
        _ => return None,
    };
    wire_time::precise(secs, nanos)
}

fn cut_short() -> Undecodable {
    malformed("it ends in the middle of a value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::DeadReason;

    fn json(msgpack: &[u8]) -> String {
        String::from_utf8(to_json(msgpack, &Limits::default()).unwrap().to_vec()).unwrap()
    }

    fn problem(msgpack: &[u8]) -> String {
        to_json(msgpack, &Limits { max_bytes: 100, max_depth: 3 }).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_value_has_its_json() {
        assert_eq!(json(b"\x96\xc0\xc2\xc3\x07\xff\xa2hi"), r#"[null,false,true,7,-1,"hi"]"#);
        assert_eq!(json(b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615");
        assert_eq!(json(b"\xd3\x80\0\0\0\0\0\0\0"), "-9223372036854775808");
        assert_eq!(json(b"\xcb\x40\x04\0\0\0\0\0\0"), "2.5");
        assert_eq!(json(b"\x82\xa1a\x90\x01\x80"), r#"{"a":[],"1":{}}"#);
        assert_eq!(json(b"\xd9\x02hi"), r#""hi""#);
        assert_eq!(json(b"\xdc\0\x01\xde\0\x01\xa1a\xc0"), r#"[{"a":null}]"#);
    }

    #[test]
    fn what_json_lacks_becomes_an_extension_object() {
        assert_eq!(json(b"\xc4\x02hi"), r#"{"__type__":"bytes","__value__":"hi"}"#);
        assert_eq!(json(b"\xc4\x02\xff\0"), r#"{"__type__":"base64","__value__":"/wA="}"#);
        let time = r#"{"__type__":"datetime","__value__":"2023-11-14T22:13:20+00:00"}"#;
        assert_eq!(json(b"\xd6\xff\x65\x53\xf1\x00"), time);
    }

    #[test]
    fn damage_is_named() {
        assert_eq!(problem(b""), "malformed: body: it ends in the middle of a value");
        assert_eq!(problem(b"\xdd\xff\xff\xff\xff"), "malformed: body: it ends in the middle of a value");
        assert_eq!(problem(b"\xc1"), "malformed: body: a byte that msgpack never uses");
        assert_eq!(problem(b"\xc0\xc0"), "malformed: body: more than one value");
        assert_eq!(problem(b"\x81\x90\xc0"), "malformed: body: a map has a key that JSON cannot have");
        assert_eq!(problem(b"\xcb\x7f\xf0\0\0\0\0\0\0"), "malformed: body: inf cannot be written as JSON");
        assert_eq!(problem(b"\xd4\x05\0"), "malformed: body: the msgpack extension type 5 is not known");
        assert!(problem(b"\xa1\xff").contains("not UTF-8"));
    }

    #[test]
    fn the_limits_hold_while_it_is_read() {
        assert_eq!(problem(b"\x91\x91\x91\x91\xc0"), "malformed: body: nested deeper than 3");
        let nulls = [&b"\xdc\0\x40"[..], &[0xc0; 64]].concat();
        let error = to_json(&nulls, &Limits { max_bytes: 100, max_depth: 3 }).unwrap_err();
        assert_eq!(error.reason, DeadReason::TooLarge);
    }
}
