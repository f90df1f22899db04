//! Eras: since when the rows of an arena were recorded, by a clock of the caller's.
//!
//! In an arena that took no other one in, recording order is the order in time, and there is one era. Rows
//! that were taken in stand behind older and newer ones alike, so they keep the eras that they had, and what
//! is recorded after them begins another. Within an era the order of rows is that of time; of different eras
//! the later one is known by its beginning.

/// The first row of an era, and when the era began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Era {
    start: u32,
    began: u64,
}

/// The eras of an arena in the order of their rows; nothing for a single one at time 0.
#[derive(Debug, Default)]
pub(crate) struct Eras(Vec<Era>);

impl Eras {
    /// One era.
    pub fn since(began: u64) -> Self {
        Self(if began == 0 { vec![] } else { vec![Era { start: 0, began }] })
    }

    /// Which era a row is of.
    pub fn of(&self, row: u32) -> usize {
        self.0.partition_point(|era| era.start <= row).saturating_sub(1)
    }

    /// When an era began.
    pub fn began(&self, era: usize) -> u64 {
        self.0.get(era).map_or(0, |era| era.began)
    }

    /// How many entries [`Eras::join`] may add.
    pub fn more(&self) -> usize {
        self.0.len() + 3
    }

    pub fn entries(&mut self) -> &mut Vec<Era> {
        &mut self.0
    }

    /// Appends the eras of rows that were taken in, which are now those from `base` up to `end`.
    pub fn join(&mut self, other: &mut Self, base: u32, end: u32, now: u64) {
        let is_now = |eras: &Self| eras.began(0) == now && eras.0.iter().all(|era| era.began == now);
        if self.began(self.0.len().saturating_sub(1)) == now && is_now(other) {
            return other.0.clear(); // whoever asks for a time asks for a later one
        }
        if self.0.is_empty() {
            self.0.push(Era { start: 0, began: 0 });
        }
        if other.0.is_empty() {
            self.0.push(Era { start: base, began: 0 });
        }
        self.0.extend(other.0.drain(..).map(|era| Era { start: era.start + base, ..era }));
        self.0.push(Era { start: end, began: now });
        self.drop_empty();
    }

    /// The beginning of the last era, behind which nothing is to be told of rows.
    pub fn end(&self) -> usize {
        self.0.last().map_or(0, |era| era.start as usize)
    }

    /// Forgets the rows from `len` on: what is recorded there belongs to the last era.
    pub fn truncate(&mut self, len: usize) {
        for era in &mut self.0 {
            era.start = era.start.min(len as u32);
        }
        self.drop_empty();
    }

    /// Follows the live rows, given in descending order, to where each is now.
    pub fn slide(&mut self, live: &[u32]) {
        for era in &mut self.0 {
            era.start = place_after(live, era.start);
        }
        self.drop_empty();
    }

    /// Drops all eras without rows but the last.
    fn drop_empty(&mut self) {
        self.0.dedup_by(|next, before| {
            let is_empty = before.start == next.start;
            if is_empty {
                before.began = next.began;
            }
            is_empty
        });
    }
}

/// Where a place is after sliding: behind the live rows, given in descending order, that are before it.
pub(super) fn place_after(live: &[u32], place: u32) -> u32 {
    (live.len() - live.partition_point(|&row| row >= place)) as u32
}
