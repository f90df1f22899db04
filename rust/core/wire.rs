//! Numbers as bytes, the same on every machine: what processes send each other.
//!
//! A count is written seven bits at a time, lowest first, the top bit set on all bytes but the last;
//! a double is its eight bytes, lowest first. Each kind of record begins with three letters and a
//! version. What is read may be anything, so nothing is taken for granted.

use std::fmt;

/// Why bytes are not the record that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// They do not begin as such a record does.
    Foreign,
    /// They are of this version of the format, which is not the one that is known.
    Version {
        /// That of the bytes.
        found: u8,
        /// The one that is known.
        known: u8,
    },
    /// They end too early or too late, or say what cannot be.
    Damaged,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("these bytes are no such record of zeroproof"),
            Self::Version { found, known } => write!(
                f,
                "this record is of version {found} of its format, but this version of zeroproof reads version \
                 {known}: install the same zeroproof in every process"
            ),
            Self::Damaged => f.write_str("this record is damaged: send or compute it again"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// Bytes that are being written.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins a record of this kind and version.
    pub fn new(kind: [u8; 3], version: u8) -> Self {
        Self(vec![kind[0], kind[1], kind[2], version])
    }

    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub fn count(&mut self, mut count: u64) {
        while count >= 0x80 {
            self.0.push(count as u8 | 0x80);
            count >>= 7;
        }
        self.0.push(count as u8);
    }

    pub fn number(&mut self, number: f64) {
        self.0.extend(number.to_bits().to_le_bytes());
    }

    pub fn numbers(&mut self, numbers: &[f64]) {
        numbers.iter().for_each(|&number| self.number(number));
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// A number that need not be there.
    pub fn option(&mut self, number: Option<f64>) {
        self.byte(u8::from(number.is_some()));
        number.into_iter().for_each(|number| self.number(number));
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Bytes that are being read.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins to read a record of this kind and version.
    pub fn new(bytes: &'a [u8], kind: [u8; 3], known: u8) -> Result<Self, Unreadable> {
        match bytes.strip_prefix(&kind).and_then(<[u8]>::split_first) {
            Some((&found, rest)) if found == known => Ok(Self(rest)),
            Some((&found, _)) => Err(Unreadable::Version { found, known }),
            None => Err(Unreadable::Foreign),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Unreadable::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn byte(&mut self) -> Result<u8, Unreadable> {
        Ok(self.take(1)?[0])
    }

    pub fn flag(&mut self) -> Result<bool, Unreadable> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable::Damaged),
        }
    }

    pub fn count(&mut self) -> Result<u64, Unreadable> {
        let mut count = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            count |= bits << shift;
            if byte < 0x80 {
                return Ok(count);
            }
        }
        Err(Unreadable::Damaged)
    }

    /// A count of what takes at least so many bytes each, all of which must be there.
    pub fn length(&mut self, bytes_each: usize) -> Result<usize, Unreadable> {
        let length = usize::try_from(self.count()?).map_err(|_| Unreadable::Damaged)?;
        let fits = length.checked_mul(bytes_each).is_some_and(|bytes| bytes <= self.0.len());
        if fits { Ok(length) } else { Err(Unreadable::Damaged) }
    }

    pub fn number(&mut self) -> Result<f64, Unreadable> {
        let bytes = self.take(size_of::<f64>())?;
        Ok(f64::from_bits(u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken"))))
    }

    /// A finite number that is not negative.
    pub fn distance(&mut self) -> Result<f64, Unreadable> {
        self.number().and_then(|d| if d >= 0.0 && d.is_finite() { Ok(d) } else { Err(Unreadable::Damaged) })
    }

    pub fn numbers(&mut self, len: usize) -> Result<Vec<f64>, Unreadable> {
        let bytes = len.checked_mul(size_of::<f64>()).ok_or(Unreadable::Damaged)?;
        let mut numbers = Self(self.take(bytes)?);
        (0..len).map(|_| numbers.number()).collect()
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = self.length(1)?;
        self.take(length)
    }

    pub fn option(&mut self) -> Result<Option<f64>, Unreadable> {
        if self.flag()? { self.number().map(Some) } else { Ok(None) }
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable::Damaged) }
    }
}

/// Raises an error unless something holds that must.
pub fn expect(holds: bool) -> Result<(), Unreadable> {
    if holds { Ok(()) } else { Err(Unreadable::Damaged) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: [u8; 3] = *b"abc";

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::new(KIND, 7);
        let counts = [0, 127, 128, 1 << 14, u64::MAX];
        counts.iter().for_each(|&count| writer.count(count));
        let numbers = [0.0, -0.0, 5e-324, f64::NEG_INFINITY, f64::NAN];
        writer.numbers(&numbers);
        writer.option(None);
        writer.option(Some(2.5));
        writer.bytes(b"text");
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes, KIND, 7).unwrap();
        assert_eq!(counts.map(|_| reader.count().unwrap()), counts);
        let found = reader.numbers(numbers.len()).unwrap();
        assert_eq!(found.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), numbers.map(f64::to_bits));
        assert_eq!((reader.option(), reader.option()), (Ok(None), Ok(Some(2.5))));
        assert_eq!(reader.bytes(), Ok(&b"text"[..]));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = Writer::new(KIND, 7).finish();
        let error = |bytes: &[u8], known| Reader::new(bytes, KIND, known).unwrap_err();
        assert_eq!(error(&bytes, 8), Unreadable::Version { found: 7, known: 8 });
        assert_eq!(error(b"abd\x07", 7), Unreadable::Foreign);
        assert_eq!(error(b"ab", 7), Unreadable::Foreign);
        let reader = |bytes| Reader(bytes);
        assert_eq!(reader(&[0xff; 10]).count(), Err(Unreadable::Damaged));
        assert_eq!(reader(&[0x80]).count(), Err(Unreadable::Damaged));
        assert_eq!(reader(&[200, 1, 0]).length(1), Err(Unreadable::Damaged));
        assert_eq!(reader(&[2]).flag(), Err(Unreadable::Damaged));
        assert_eq!(reader(&[0; 7]).number(), Err(Unreadable::Damaged));
        assert_eq!(reader(&[0]).end(), Err(Unreadable::Damaged));
        assert_eq!(reader(&(-1.0f64).to_le_bytes()).distance(), Err(Unreadable::Damaged));
    }
}
