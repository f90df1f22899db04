//! An arena for each thread, and one for several as soon as their nodes meet.
//!
//! An arena lies in a [`Place`], which has a lock. A node is known by its place and a handle. A thread records
//! in its own place, which nobody else locks as long as its nodes stay with it. Where nodes of two places are
//! to be operands of one, the smaller arena **joins** the larger: all that is alive there moves, and the place
//! is left behind with the word where its handles are now. So nodes need not be told, and what has met stays
//! together. A thread whose arena has joined another one takes a new place for what it makes next.
//!
//! * One lock is held at a time. Only to join, two are taken, of places both of which still have their arena,
//!   in the order of their addresses. So nobody waits in a circle.
//! * Nothing is looked at without the lock of the place where it is. Whoever was told where an arena went looks
//!   again there, for it may have gone on. It goes into a larger one each time, so the way is short.
//! * A place is there as long as nodes are known by it, a thread calls it its own or handles went from another
//!   one to it. Nodes are counted under the lock, which costs no more than the lock, and a place with nodes
//!   keeps itself.

use crate::error::Error;
use crate::graph::{Handle, Moved};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::collections::HashMap;

/// What lies in a place.
pub trait Joins: Default {
    /// How much would have to move.
    fn size(&self) -> usize;

    /// Takes in all that the other one has.
    ///
    /// # Errors
    /// If there is no memory for it; then both have what they had.
    fn join(&mut self, other: &mut Self) -> Result<Moved, Error>;

    /// Gives a handle back.
    fn release(&mut self, handle: Handle);

    /// Does what is to be done with an arena whose nodes have gone.
    fn left(self) {}
}

/// A place for an arena.
#[derive(Debug)]
pub struct Place<T> {
    state: Mutex<State<T>>,
}

/// What a place holds, once it is locked.
#[derive(Debug)]
pub struct State<T> {
    arena: T,
    joined: Option<Joined<T>>,
    this: Weak<Place<T>>,
    /// How many nodes are known by this place.
    nodes: usize,
    /// The place itself, as long as there are any.
    keep: Option<Arc<Place<T>>>,
    /// A number that no other place has.
    number: u32,
    /// By handle, what a node is told from others by that was known by another place before.
    identities: HashMap<u32, u64>,
}

/// Where the nodes went.
#[derive(Debug)]
struct Joined<T> {
    into: Arc<Place<T>>,
    moved: Moved,
}

/// Where a node is.
#[derive(Debug)]
pub enum Found<'p, T> {
    /// In this place, which is locked.
    Here(MutexGuard<'p, State<T>>),
    /// It went to that place, perhaps further.
    Elsewhere(Arc<Place<T>>, Handle),
}

impl<T> State<T> {
    /// The arena.
    #[inline(always)]
    pub fn arena(&self) -> &T {
        &self.arena
    }

    /// The arena, to be changed.
    #[inline(always)]
    pub fn arena_mut(&mut self) -> &mut T {
        &mut self.arena
    }

    /// Counts a node that is known by this place from now on.
    #[inline(always)]
    pub fn give_out(&mut self) {
        self.nodes += 1;
        if self.nodes == 1 {
            self.keep = self.this.upgrade();
        }
    }

    /// What a node of this arena is told from others by, wherever it goes.
    pub fn identity(&self, handle: Handle) -> u64 {
        let own = u64::from(self.number) << 32 | u64::from(handle.id());
        self.identities.get(&handle.id()).copied().unwrap_or(own)
    }
}

impl<T: Joins> Place<T> {
    /// A place with a number that no other place has.
    pub fn new(arena: T, number: u32) -> Arc<Self> {
        Arc::new_cyclic(|this| {
            let (this, identities) = (this.clone(), HashMap::new());
            let state = State { arena, joined: None, this, nodes: 0, keep: None, number, identities };
            Self { state: Mutex::new(state) }
        })
    }

    #[inline(always)]
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The arena, if it is still here.
    #[inline(always)]
    pub fn open(&self) -> Option<MutexGuard<'_, State<T>>> {
        let state = self.lock();
        state.joined.is_none().then_some(state)
    }

    /// Where a node is that is known by this place.
    #[inline(always)]
    pub fn find(&self, handle: Handle) -> Found<'_, T> {
        let state = self.lock();
        match &state.joined {
            None => Found::Here(state),
            Some(joined) => Found::Elsewhere(joined.into.clone(), joined.moved.handle(handle)),
        }
    }

    /// The place that a node came to, and its handle there. It may have gone on when this returns.
    pub fn home(self: &Arc<Self>, handle: Handle) -> (Arc<Self>, Handle) {
        let (mut place, mut handle) = (self.clone(), handle);
        loop {
            let next = match place.find(handle) {
                Found::Here(_) => None,
                Found::Elsewhere(next, there) => Some((next, there)),
            };
            match next {
                None => return (place, handle),
                Some(next) => (place, handle) = next,
            }
        }
    }

    /// Runs `f` on the arena that a node is in.
    pub fn with_home<R>(self: &Arc<Self>, handle: Handle, f: impl FnOnce(&mut T, Handle) -> R) -> R {
        let (mut place, mut handle) = (self.clone(), handle);
        loop {
            let next = match place.find(handle) {
                Found::Here(mut state) => return f(&mut state.arena, handle),
                Found::Elsewhere(next, there) => (next, there),
            };
            (place, handle) = next;
        }
    }

    /// Gives back a handle that is known by this place. What is returned, if anything, is to be dropped where
    /// the place may end.
    #[must_use = "the place may end with it"]
    #[inline(always)]
    pub fn release(&self, handle: Handle) -> Option<Arc<Self>> {
        let mut state = self.lock();
        state.nodes -= 1;
        let keep = if state.nodes == 0 { state.keep.take() } else { None };
        match &state.joined {
            None => state.arena.release(handle),
            Some(joined) => {
                let (into, handle) = (joined.into.clone(), joined.moved.handle(handle));
                drop(state);
                into.with_home(handle, T::release);
            }
        }
        keep
    }

    /// Brings nodes, one at least, together: the place that all of them are in, and their handles there. It may
    /// have gone on when this returns; whoever finds that it did asks again.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn meet(nodes: &[(Arc<Self>, Handle)]) -> Result<(Arc<Self>, Vec<Handle>), Error> {
        loop {
            let (first, handle) = &nodes[0];
            let (place, handle) = first.home(*handle);
            let mut handles = vec![handle];
            for (other, handle) in &nodes[1..] {
                let (other, handle) = other.home(*handle);
                if !Arc::ptr_eq(&place, &other) {
                    place.join(&other)?;
                    break; // all of them are looked for again
                }
                handles.push(handle);
            }
            if handles.len() == nodes.len() {
                return Ok((place, handles));
            }
        }
    }

    /// Has two arenas join, unless they are one already, or one of them has just gone elsewhere: then whoever
    /// wants to see them together looks for them again.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn join(self: &Arc<Self>, other: &Arc<Self>) -> Result<(), Error> {
        if Arc::ptr_eq(self, other) {
            return Ok(());
        }
        let in_order = Arc::as_ptr(self) < Arc::as_ptr(other);
        let [first, second] = if in_order { [self, other] } else { [other, self] };
        let (Some(mut a), Some(mut b)) = (first.open(), second.open()) else { return Ok(()) };
        let a_stays = a.arena.size() >= b.arena.size();
        let (stays, goes, into) = if a_stays { (&mut a, &mut b, first) } else { (&mut b, &mut a, second) };
        let moved = stays.arena.join(&mut goes.arena)?;
        for (before, after) in moved.pairs() {
            let identity = goes.identity(before);
            stays.identities.insert(after.id(), identity);
        }
        goes.identities = HashMap::new();
        goes.joined = Some(Joined { into: into.clone(), moved });
        let left = std::mem::take(&mut goes.arena);
        drop((a, b));
        left.left();
        Ok(())
    }
}
