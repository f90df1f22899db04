//! The gradient mode of a part of a batch, which goes from process to process.

use crate::mode::{GradientMode, ModeState, Region};
use crate::wire::{Reader, Unreadable, Writer, expect};
use std::fmt;

/// The gradient mode of a part: what a backward pass reads, and what its statistics need.
#[derive(Clone, Debug, PartialEq)]
pub struct PartMode {
    /// What a backward pass reads.
    pub state: ModeState,
    /// [`Statistics::settings`](crate::Statistics::settings).
    pub settings: (bool, f64, f64),
}

/// How a record of a mode begins, and the version of its format.
const MODE_RECORD: ([u8; 3], u8) = (*b"zpm", 1);

impl PartMode {
    /// As bytes for another process.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(MODE_RECORD.0, MODE_RECORD.1);
        self.write(&mut to);
        to.finish()
    }

    /// That of another process.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader::new(bytes, MODE_RECORD.0, MODE_RECORD.1)?;
        let read = Self::read(&mut from)?;
        from.end()?;
        Ok(read)
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        let (saturating, threshold, radius) = self.settings;
        to.byte(self.state.mode as u8);
        to.number(self.state.bound());
        to.option(self.state.delta());
        to.count(self.state.regions().len() as u64);
        self.state.regions().iter().for_each(|region| to.numbers(&[region.low, region.high]));
        to.byte(u8::from(saturating));
        to.numbers(&[threshold, radius]);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut state = ModeState::default();
        state.mode = match from.byte()? {
            0 => GradientMode::MaskReal,
            1 => GradientMode::Saturating,
            2 => GradientMode::Hybrid,
            _ => return Err(Unreadable::Damaged),
        };
        let damaged = |_| Unreadable::Damaged;
        state.set_bound(from.number()?).map_err(damaged)?;
        state.set_delta(from.option()?).map_err(damaged)?;
        let regions = (0..from.length(2 * size_of::<f64>())?)
            .map(|_| Region::new(from.number()?, from.number()?).map_err(damaged))
            .collect::<Result<Vec<_>, _>>()?;
        state.set_regions(&regions);
        let settings = (from.flag()?, from.distance()?, from.distance()?);
        expect(settings.2 > 0.0)?;
        Ok(Self { state, settings })
    }
}

impl fmt::Display for PartMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (saturating, threshold, radius) = self.settings;
        let bound = self.state.bound();
        match self.state.mode {
            GradientMode::MaskReal => return f.write_str("Mask-REAL"),
            GradientMode::Saturating => return write!(f, "Saturating (bound {bound})"),
            GradientMode::Hybrid => write!(f, "Hybrid (bound {bound}, ")?,
        }
        match self.state.delta() {
            Some(delta) => write!(f, "threshold {delta}, ")?,
            None => f.write_str("no threshold, ")?,
        }
        let regions: Vec<_> = self.state.regions().iter().map(|r| format!("{}..{}", r.low, r.high)).collect();
        if !regions.is_empty() {
            write!(f, "regions {}, ", regions.join(" "))?;
        }
        let policy = if saturating { "saturates" } else { "does not saturate" };
        write!(f, "policy {policy}, poles within {threshold} of one, {radius} apart)")
    }
}
