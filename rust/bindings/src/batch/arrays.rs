//! The memory of NumPy arrays as slices, and what must not overlap.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::ops::Range;
use zeroproof::batch::Input;

/// The numbers of the arguments.
///
/// # Safety
/// Nobody writes to them while the inputs live.
pub(super) unsafe fn input_slices<'a>(
    inputs: &'a [PyBuffer<f64>],
    per_sample: &[bool],
) -> PyResult<Vec<Input<'a>>> {
    let inputs = inputs.iter().zip(per_sample).map(|(buffer, per_sample)| {
        // SAFETY: the caller's.
        let slice = unsafe { slice(buffer)? };
        Ok(if *per_sample { Input::PerSample(slice) } else { Input::Shared(slice) })
    });
    inputs.collect()
}

/// Sets the slices of what is summed aside, by their numbers, and leaves empty ones in their places.
pub(super) fn keep_summed<'a, T>(
    slices: &mut [&'a mut [T]],
    is_summed: impl Fn(usize) -> bool,
) -> Vec<(usize, &'a mut [T])> {
    let summed = slices.iter_mut().enumerate().filter(|(array, _)| is_summed(*array));
    summed.map(|(array, slice)| (array, std::mem::take(slice))).collect()
}

/// The addresses of a buffer's memory.
pub(super) fn range<T: Element>(buffer: &PyBuffer<T>) -> Range<usize> {
    let start = buffer.buf_ptr() as usize;
    start..start + buffer.len_bytes()
}

/// Refuses memory to be written that is read or written elsewhere too.
pub(crate) fn refuse_overlaps(
    read: impl Iterator<Item = Range<usize>>,
    written: impl Iterator<Item = Range<usize>>,
) -> PyResult<()> {
    let read = read.map(|range| (range, false));
    let mut all: Vec<_> =
        read.chain(written.map(|range| (range, true))).filter(|(range, _)| !range.is_empty()).collect();
    all.sort_unstable_by_key(|(range, _)| range.start);
    // How far the memory reaches that begins before, and of that what is written.
    let (mut end, mut end_of_written) = (0, 0);
    for (range, is_written) in all {
        if range.start < if is_written { end } else { end_of_written } {
            return Err(PyValueError::new_err(
                "an array of out shares memory with an argument or with another array of out",
            ));
        }
        end = end.max(range.end);
        if is_written {
            end_of_written = end_of_written.max(range.end);
        }
    }
    Ok(())
}

fn refuse_strides<T: Element>(buffer: &PyBuffer<T>) -> PyResult<()> {
    if buffer.is_c_contiguous() {
        Ok(())
    } else {
        Err(PyValueError::new_err("the array is not C-contiguous"))
    }
}

/// The memory of a buffer.
///
/// # Safety
/// Nobody writes to it while the slice lives.
pub(super) unsafe fn slice<T: Element>(buffer: &PyBuffer<T>) -> PyResult<&[T]> {
    refuse_strides(buffer)?;
    Ok(match buffer.item_count() {
        0 => &[],
        // SAFETY: a C-contiguous buffer is `items` aligned values in a row, and lives as long as it is held.
        items => unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast(), items) },
    })
}

/// The memory of a writable buffer.
///
/// # Safety
/// Nobody else reads or writes it while the slice lives.
#[expect(clippy::mut_from_ref, reason = "the buffer owns no memory, it lends that of an array")]
unsafe fn slice_mut<T: Element>(buffer: &PyBuffer<T>) -> PyResult<&mut [T]> {
    refuse_strides(buffer)?;
    if buffer.readonly() {
        return Err(PyValueError::new_err("the array is read-only"));
    }
    Ok(match buffer.item_count() {
        0 => &mut [],
        // SAFETY: as above, and the exporter allows writing.
        items => unsafe { std::slice::from_raw_parts_mut(buffer.buf_ptr().cast(), items) },
    })
}

/// The memories of writable buffers.
///
/// # Safety
/// Nobody else reads or writes them while the slices live.
#[expect(clippy::mut_from_ref, reason = "a buffer owns no memory, it lends that of an array")]
pub(super) unsafe fn slices_mut<T: Element>(buffers: &[PyBuffer<T>]) -> PyResult<Vec<&mut [T]>> {
    // SAFETY: the caller's.
    buffers.iter().map(|buffer| unsafe { slice_mut(buffer) }).collect()
}
