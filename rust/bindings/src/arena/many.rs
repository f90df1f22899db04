//! The arenas of a free-threaded interpreter: one for each thread, which join when their nodes meet.
//!
//! How they join, and why nobody waits in a circle, is in [`zeroproof::arenas`]; a model test goes through the
//! ways in which threads can come between each other there. A lock is held for one operation or pass. Its
//! holder does not call into Python meanwhile and so waits for nobody: not for another thread, and not at a
//! point where the interpreter stops all threads.
//!
//! A node that is nothing but a number (see [`number`]) does not bring arenas together where it is an operand:
//! its value is all that matters.

use super::Arena;
use pyo3::prelude::*;
use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use zeroproof::Error;
use zeroproof::arenas::{self, Found, Joins, State};
use zeroproof::graph::{Handle, Moved};

type Place = arenas::Place<Arena>;

/// A node, by the place where it was made. It is counted there until it is released, and the place stays for as
/// long.
#[derive(Clone, Copy)]
pub(crate) struct NodeRef {
    place: NonNull<Place>,
    handle: Handle,
}

// SAFETY: places are locked whenever they are looked at, and may go from thread to thread.
unsafe impl Send for NodeRef {}
// SAFETY: likewise.
unsafe impl Sync for NodeRef {}

impl NodeRef {
    /// The place, for as long as the node is not released, which the callers see to: a Python object or the
    /// function that was given the node has it until they return.
    #[inline(always)]
    fn place<'n>(self) -> &'n Place {
        // SAFETY: a place outlives the nodes that are counted there.
        unsafe { self.place.as_ref() }
    }

    /// The place with a share in it.
    fn shared(self) -> Arc<Place> {
        // SAFETY: the pointer came from an `Arc`, which a place with nodes has.
        unsafe {
            Arc::increment_strong_count(self.place.as_ptr());
            Arc::from_raw(self.place.as_ptr())
        }
    }
}

/// The time, which goes on with each function that is differentiated.
static CLOCK: AtomicU64 = AtomicU64::new(0);

fn now() -> u64 {
    CLOCK.load(Ordering::Acquire)
}

/// The time of a call, as of which nodes are older or newer.
pub(crate) fn call_time() -> u64 {
    CLOCK.fetch_add(1, Ordering::AcqRel) + 1
}

impl Joins for Arena {
    fn size(&self) -> usize {
        self.graph.len()
    }

    fn join(&mut self, other: &mut Self) -> Result<Moved, Error> {
        self.graph.join(&mut other.graph, now())
    }

    fn release(&mut self, handle: Handle) {
        self.graph.release(handle);
    }

    /// Its memory serves the thread's next one, unless that is much.
    fn left(self) {
        if self.graph.allocated_bytes() + self.scratch.allocated_bytes() < 1 << 17 {
            let _ = SPARE.try_with(|spare| spare.set(Some(self)));
        }
    }
}

thread_local! {
    /// The place in which this thread makes leaves.
    static OWN: RefCell<Option<Arc<Place>>> = const { RefCell::new(None) };
    /// An empty arena.
    static SPARE: Cell<Option<Arena>> = const { Cell::new(None) };
}

/// All places that there are, for who asks what they occupy.
static PLACES: Mutex<Vec<Weak<Place>>> = Mutex::new(vec![]);

#[cold]
#[inline(never)]
fn new_place() -> Arc<Place> {
    static NUMBERS: AtomicU32 = AtomicU32::new(0);
    let mut arena = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
    arena.graph.begin_at_time(now());
    let place = Place::new(arena, NUMBERS.fetch_add(1, Ordering::Relaxed));
    let mut places = crate::locks::lock(&PLACES);
    if places.len() == places.capacity() {
        places.retain(|place| place.strong_count() > 0);
    }
    places.push(Arc::downgrade(&place));
    place
}

/// Access to an arena.
pub(crate) struct Borrow<'py> {
    state: MutexGuard<'py, State<Arena>>,
    /// The place: whoever borrows it by a node keeps it by that, unless the node went elsewhere.
    place: NonNull<Place>,
    _keep: Option<Arc<Place>>,
    py: Python<'py>,
}

impl<'py> Borrow<'py> {
    /// # Safety
    /// The state is that of the place, which outlives the borrow.
    #[inline(always)]
    unsafe fn new(
        py: Python<'py>,
        state: MutexGuard<'_, State<Arena>>,
        place: &Place,
        keep: Option<Arc<Place>>,
    ) -> Self {
        // SAFETY: the lock is part of the place; the caller sees to it that that is there for `'py`.
        let state = unsafe {
            std::mem::transmute::<MutexGuard<'_, State<Arena>>, MutexGuard<'py, State<Arena>>>(state)
        };
        Self { state, place: NonNull::from(place), _keep: keep, py }
    }

    /// Access to a place that is kept by a share in it; none if the arena went elsewhere.
    fn of(py: Python<'py>, place: &Arc<Place>) -> Option<Self> {
        let state = place.open()?;
        // SAFETY: the share is dropped after the lock, since fields are dropped in their order.
        Some(unsafe { Self::new(py, state, place, Some(place.clone())) })
    }

    /// That the thread is attached to the interpreter.
    pub(crate) fn py(&self) -> Python<'py> {
        self.py
    }

    /// The node that a new handle is on.
    #[inline(always)]
    pub(crate) fn node(&mut self, handle: Handle) -> NodeRef {
        self.state.give_out();
        NodeRef { place: self.place, handle }
    }
}

impl Deref for Borrow<'_> {
    type Target = Arena;

    #[inline(always)]
    fn deref(&self) -> &Arena {
        self.state.arena()
    }
}

impl DerefMut for Borrow<'_> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Arena {
        self.state.arena_mut()
    }
}

/// The arena that this thread makes leaves in.
#[inline(always)]
pub(crate) fn own(py: Python<'_>) -> Borrow<'_> {
    let borrowed = OWN.try_with(|own| {
        let own = own.borrow();
        let place = own.as_ref()?;
        let state = place.open()?;
        // SAFETY: only this thread gives its place up, and not while it borrows it.
        Some(unsafe { Borrow::new(py, state, place, None) })
    });
    borrowed.ok().flatten().unwrap_or_else(|| begin(py))
}

/// A new arena for this thread; for this occasion only, if the thread is ending.
#[cold]
#[inline(never)]
fn begin(py: Python<'_>) -> Borrow<'_> {
    let place = new_place();
    let _ = OWN.try_with(|own| own.replace(Some(place.clone())));
    Borrow::of(py, &place).expect("nobody else knows of it")
}

/// The arena that a node is in, and its handle there.
#[inline(always)]
pub(crate) fn at(py: Python<'_>, node: NodeRef) -> (Borrow<'_>, Handle) {
    let place = node.place();
    match place.find(node.handle) {
        // SAFETY: the node is there for longer than the borrow, and the place for longer than the node.
        Found::Here(state) => (unsafe { Borrow::new(py, state, place, None) }, node.handle),
        Found::Elsewhere(place, handle) => at_home(py, place, handle),
    }
}

#[cold]
#[inline(never)]
fn at_home(py: Python<'_>, place: Arc<Place>, handle: Handle) -> (Borrow<'_>, Handle) {
    let (mut place, mut handle) = (place, handle);
    loop {
        (place, handle) = place.home(handle);
        if let Some(borrow) = Borrow::of(py, &place) {
            return (borrow, handle);
        }
    }
}

/// The arena that all these nodes are in, and their handles there. If it is not one, they are brought together.
///
/// # Errors
/// If there is no memory to bring them together.
pub(crate) fn meet<'py>(py: Python<'py>, nodes: &[NodeRef]) -> Result<(Borrow<'py>, Vec<Handle>), Error> {
    let [first, others @ ..] = nodes else { return Ok((own(py), vec![])) };
    if others.iter().all(|node| node.place == first.place)
        && let Found::Here(state) = first.place().find(first.handle)
    {
        // SAFETY: as in `at`.
        let borrow = unsafe { Borrow::new(py, state, first.place(), None) };
        return Ok((borrow, nodes.iter().map(|node| node.handle).collect()));
    }
    let shared: Vec<_> = nodes.iter().map(|node| (node.shared(), node.handle)).collect();
    loop {
        let (place, handles) = Place::meet(&shared)?;
        if let Some(borrow) = Borrow::of(py, &place) {
            return Ok((borrow, handles));
        }
    }
}

/// The arena of two nodes, and their handles there, if it is known to be the same.
#[inline(always)]
pub(crate) fn neighbours(py: Python<'_>, a: NodeRef, b: NodeRef) -> Option<(Borrow<'_>, Handle, Handle)> {
    if a.place != b.place {
        return None;
    }
    let place = a.place();
    let state = place.open()?;
    // SAFETY: as in `at`.
    Some((unsafe { Borrow::new(py, state, place, None) }, a.handle, b.handle))
}

/// Whether nodes are in one arena. If they are, they stay so.
pub(crate) fn are_together(nodes: &[NodeRef]) -> bool {
    let [first, others @ ..] = nodes else { return true };
    if others.iter().all(|node| node.place == first.place) {
        return true;
    }
    let home = |node: &NodeRef| node.shared().home(node.handle).0;
    let first = home(first);
    others.iter().all(|node| Arc::ptr_eq(&home(node), &first))
}

/// The value of a node that is nothing but a number.
pub(crate) fn number(py: Python<'_>, node: NodeRef) -> Option<f64> {
    let (borrow, handle) = at(py, node);
    borrow.graph.plain_number(handle)
}

/// The arena that `root` is in, its handle there, and that of the other node if it is there too.
pub(crate) fn apart(py: Python<'_>, root: NodeRef, other: NodeRef) -> (Borrow<'_>, Handle, Option<Handle>) {
    let (other, handle) = other.shared().home(other.handle);
    let (borrow, root) = at(py, root);
    let is_same = std::ptr::eq(borrow.place.as_ptr(), Arc::as_ptr(&other));
    (borrow, root, is_same.then_some(handle))
}

/// Gives a node back.
#[inline(always)]
pub(crate) fn release(_py: Python<'_>, node: NodeRef) {
    drop(node.place().release(node.handle));
}

/// What a node is told from others by.
pub(crate) fn identity(py: Python<'_>, node: NodeRef) -> u64 {
    let (borrow, handle) = at(py, node);
    borrow.state.identity(handle)
}

/// How many nodes are alive and how many bytes arenas occupy, after reclaiming all others.
///
/// # Errors
/// If there is no memory to find out.
pub(crate) fn usage(py: Python<'_>) -> Result<(usize, usize), Error> {
    let places: Vec<_> = crate::locks::lock(&PLACES).iter().filter_map(Weak::upgrade).collect();
    let (mut nodes, mut bytes) = (0, 0);
    for place in places {
        if let Some(mut arena) = Borrow::of(py, &place) {
            arena.graph.try_collect()?;
            nodes += arena.graph.len();
            bytes += arena.graph.allocated_bytes() + arena.scratch.allocated_bytes();
        }
    }
    Ok((nodes, bytes))
}
