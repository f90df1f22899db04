//! Parameters and inputs: what they have besides a value, and how they are assigned another one.
//!
//! What was recorded from a leaf keeps the value that it was computed with: an assignment moves the
//! leaf's handles to a new row, its next **version**, and the old row stays for as long as something
//! refers to it. All versions share one entry of the leaf table, so contributions to any of them add
//! up in one gradient, and a leaf as a source stands for all its versions.
//!
//! A version's row holds the place of its leaf in the table and the number of the version. The table
//! is in the order of the oldest rows, so that what ends with the arena's tail is the table's tail.

use super::eras::place_after;
use super::handle::UNOWNED;
use super::leaf::{Leaves, Versions};
use super::{Graph, Handle, Node, flag};
use crate::error::Error;
use crate::room;

impl Graph {
    /// Assigns a value to a parameter or input. What was recorded from it keeps the old value, and
    /// contributions from there still add to its gradient.
    ///
    /// # Errors
    /// [`Error::NotAssignable`] for any other node; [`Error::EarlierVersion`] for an operand of what was
    /// recorded before an assignment; [`Error::OutOfMemory`].
    pub fn assign(&mut self, handle: Handle, value: f64) -> Result<(), Error> {
        let row = self.node(handle);
        let Node { op, links: [place, version], .. } = self.nodes[row as usize];
        if !self.nodes[row as usize].has_leaf() {
            return Err(Error::NotAssignable(op));
        }
        if version != self.leaves[place as usize].version {
            return Err(Error::EarlierVersion(op));
        }
        if row as usize + 1 == self.len && row as usize >= self.noted_end {
            // Nothing was recorded since that is still there, and nothing is noted of the row.
            self.nodes[row as usize].value = value;
        } else {
            self.reserve(1)?;
            self.assign_anew(handle, value);
        }
        Ok(())
    }

    /// Says whether a leaf or an alias, which was made for a call of a function, is an argument of a call that lasts.
    pub fn set_argument(&mut self, leaf: Handle, lasts: bool) {
        let row = self.node(leaf);
        let flags = &mut self.nodes[row as usize].flags;
        *flags = *flags & !flag::ARGUMENT | if lasts { flag::ARGUMENT } else { 0 };
    }

    /// The table of leaves, taken out for a pass, which [`Graph::put_leaves`] puts back.
    pub(crate) fn take_leaves(&mut self) -> Leaves {
        Leaves(std::mem::take(&mut self.leaves))
    }

    /// Puts the table of leaves back.
    pub(crate) fn put_leaves(&mut self, leaves: Leaves) {
        self.leaves = leaves.0;
    }

    /// Moves the handles of a leaf to a new row, its next version.
    fn assign_anew(&mut self, handle: Handle, value: f64) {
        let before = self.node(handle);
        let Node { op, flags, links: [place, version], .. } = self.nodes[before as usize];
        let version = version.wrapping_add(1);
        let row = self.push_row(op, value, [place, version], flags);
        self.move_handles(handle, row);
        let leaf = &mut self.leaves[place as usize];
        (leaf.newest, leaf.version) = (row, version);
    }

    /// The version of a leaf that its handles are on, if it has any; else the row itself.
    pub(crate) fn held_version(&self, row: u32) -> u32 {
        let node = &self.nodes[row as usize];
        if !node.has_leaf() {
            return row;
        }
        let leaf = &self.leaves[node.links[0] as usize];
        let newest = self.nodes[..self.len].get(leaf.newest as usize);
        let is_held = newest.is_some_and(|newest| {
            newest.has_leaf() && newest.links == [node.links[0], leaf.version] && newest.owner != UNOWNED
        });
        if is_held { leaf.newest } else { row }
    }

    /// Whether there is a handle on the node, or on another version of a leaf.
    pub(crate) fn is_held(&self, row: u32) -> bool {
        self.nodes[self.held_version(row) as usize].owner != UNOWNED
    }

    /// The oldest row of a leaf; of any other node the row itself.
    pub(crate) fn oldest_version(&self, row: u32) -> u32 {
        let node = &self.nodes[row as usize];
        if node.has_leaf() { self.leaves[node.links[0] as usize].oldest } else { row }
    }

    /// Where a source stood when it was made; a leaf also if it was assigned a value since.
    pub(crate) fn made_at(&self, source: u32) -> u32 {
        let node = &self.nodes[source as usize];
        if node.has_leaf() { self.leaves[node.links[0] as usize].first } else { source }
    }

    /// All versions among `reached`, rows in descending order, of the leaves among `sources` that may
    /// have several.
    pub(crate) fn versions(&self, sources: &[u32], reached: &[u32]) -> Result<Versions, Error> {
        let mut places: Vec<_> =
            sources.iter().filter_map(|&source| self.place_of_versions(source)).collect();
        if places.is_empty() {
            return Ok(Versions::default());
        }
        places.sort_unstable();
        let of_leaf = reached.iter().filter_map(|&row| {
            let node = &self.nodes[row as usize];
            let wanted = node.has_leaf() && places.binary_search(&node.links[0]).is_ok();
            wanted.then_some((node.links[0], row))
        });
        let mut found = vec![];
        for version in of_leaf {
            room::push(&mut found, version)?;
        }
        found.sort_unstable_by_key(|&(place, row)| (place, !row));
        Ok(Versions(found))
    }

    /// The rows that a source stands for among `versions`; `None` if for itself alone.
    pub(crate) fn versions_of<'v>(
        &self,
        source: u32,
        versions: &'v Versions,
    ) -> Option<impl Iterator<Item = u32> + 'v> {
        let place = self.place_of_versions(source)?;
        let start = versions.0.partition_point(|&(other, _)| other < place);
        let rows = versions.0[start..].iter().take_while(move |&&(other, _)| other == place);
        Some(rows.map(|&(_, row)| row))
    }

    /// The place of a leaf that may have other versions than this one.
    fn place_of_versions(&self, row: u32) -> Option<u32> {
        let node = &self.nodes[row as usize];
        if !node.has_leaf() {
            return None;
        }
        let leaf = &self.leaves[node.links[0] as usize];
        (leaf.oldest != row || leaf.version != node.links[1]).then_some(node.links[0])
    }

    /// Forgets the leaves all of whose rows are gone, from `len` on.
    #[inline(always)]
    pub(super) fn cut_leaves(&mut self, len: usize) {
        if self.leaves.last().is_some_and(|leaf| leaf.oldest as usize >= len) {
            self.leaves.truncate(self.leaves.partition_point(|leaf| (leaf.oldest as usize) < len));
        }
    }

    /// Begins to find out which leaves are still there when the live rows slide: see [`Graph::find_leaf`].
    pub(super) fn forget_leaf_rows(&mut self, live: &[u32]) {
        for leaf in &mut self.leaves {
            leaf.oldest = UNOWNED;
            leaf.first = place_after(live, leaf.first);
        }
    }

    /// Finds a row of a leaf, now at `row`. Instead of the place of the leaf it names the oldest row
    /// until [`Graph::place_leaves`].
    pub(super) fn find_leaf(&mut self, node: &mut Node, row: u32) {
        let leaf = &mut self.leaves[node.links[0] as usize];
        if leaf.oldest == UNOWNED {
            leaf.oldest = row;
        }
        leaf.newest = row;
        node.links[0] = leaf.oldest;
    }

    /// Drops the leaves of which no row was found and tells all rows, which are in their places now,
    /// where their leaves are.
    pub(super) fn place_leaves(&mut self) {
        self.leaves.retain(|leaf| leaf.oldest != UNOWNED);
        // The order changes only where the oldest version of a leaf is gone.
        self.leaves.sort_unstable_by_key(|leaf| leaf.oldest);
        let mut is_assigned = false;
        for (place, leaf) in (0..).zip(&self.leaves) {
            self.nodes[leaf.oldest as usize].links[0] = place;
            is_assigned |= leaf.newest != leaf.oldest;
        }
        if !is_assigned {
            return;
        }
        for row in 0..self.len {
            let node = self.nodes[row];
            if node.has_leaf() {
                let is_oldest =
                    self.leaves.get(node.links[0] as usize).is_some_and(|leaf| leaf.oldest as usize == row);
                if !is_oldest {
                    self.nodes[row].links[0] = self.nodes[node.links[0] as usize].links[0];
                }
            }
        }
    }
}
