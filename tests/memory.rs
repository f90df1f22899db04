//! Memory as the allocator sees it: the arena reports what it takes, and statistics do not grow
//! with the number of decisions.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use zeroproof::{HysteresisPolicy, ModeState, Statistics, Tape};

thread_local!(static IN_USE: Cell<isize> = const { Cell::new(0) });

/// Counts the bytes that each thread holds, so that tests side by side do not see one another.
struct Counting;

// SAFETY: every call goes to the system allocator unchanged; counting touches a thread-local cell
// that needs neither memory nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.set(IN_USE.get() + layout.size() as isize);
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.set(IN_USE.get() - layout.size() as isize);
        // SAFETY: `place` came from `alloc` above with this layout, so from the system allocator.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn statistics_do_not_grow_with_the_number_of_decisions() {
    let state = ModeState::hybrid(Some(1e-3)).unwrap();
    let before = IN_USE.get();
    let mut statistics = Statistics::new();
    statistics.set_policy(Some(HysteresisPolicy::new(0.1, 0.2, None, None).unwrap()));
    let mut most = 0;
    for k in 0..100_000u64 {
        // Every exponent and a new coordinate each time: the worst for buckets and for poles.
        let q = f64::from_bits(k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1 & !(1 << 62));
        statistics.decide_at(&state, q, Some(k as f64)).unwrap();
        if k == 20_000 {
            most = IN_USE.get() - before;
        }
    }
    let after = IN_USE.get() - before;
    assert!(most > 0 && after <= most + most / 10, "{most} bytes grew to {after}");
    assert!(after < 2 << 20, "{after} bytes");
    assert_eq!(statistics.summary(&state).total_gradient_calls, 100_000);
}

#[test]
fn the_arena_reports_the_bytes_it_takes() {
    for length in [100, 5000, 100_000, 1_000_000] {
        let before = IN_USE.get();
        let tape = Tape::new();
        let x = tape.parameter(1.0);
        let y = (0..length).fold(x.clone(), |y, _| &y * &x);
        y.backward().unwrap();
        let (taken, said) = (IN_USE.get() - before, tape.allocated_bytes() as isize);
        // Bitmaps of a bit a node, and what a pass keeps for the next one.
        let slack = 4096 + length as isize;
        assert!(said <= taken && taken <= said + slack, "{length}: says {said} bytes, takes {taken}");
        assert!(
            length < 5000 || taken < 64 * length as isize,
            "{length}: {} bytes a node",
            taken / length as isize
        );
    }
}

#[test]
fn a_large_graph_gives_its_memory_back() {
    let tape = Tape::new();
    let kept = tape.parameter(1.0);
    drop((0..500_000).fold(kept.clone(), |y, _| &y * &kept));
    let most = tape.allocated_bytes();
    for _ in 0..40 {
        assert_eq!(tape.live_nodes(), 1);
    }
    let after = tape.allocated_bytes();
    assert!(most > 5_000_000 && after < 200_000, "{most} bytes became {after}");
}
