//! The arrays of a call: those given, and new ones for its results.

use super::trees::Tree;
use crate::number::common_number;
use crate::numpy::{Api, Element, Memory};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyInt;
use std::ops::Range;
use zeroproof::TrScalar;
use zeroproof::batch::Input;

/// An array as it is described: its shape without the axis of samples, and whether it has that axis.
pub(super) type Described = (Vec<isize>, bool);

/// An array that a call takes or makes.
pub(super) struct Expected {
    /// Without the axis of samples.
    shape: Vec<isize>,
    pub has_samples: bool,
}

impl Expected {
    pub fn all(arrays: Vec<Described>) -> PyResult<Vec<Self>> {
        let expected = |(shape, has_samples): Described| match Api::takes(shape.len()) {
            true => Ok(Self { shape, has_samples }),
            false => Err(PyValueError::new_err("an array has too many dimensions")),
        };
        arrays.into_iter().map(expected).collect()
    }

    /// Whether an array has this shape, of so many samples if that is known; afterwards it is.
    fn fits(&self, shape: &[isize], samples: &mut Option<usize>) -> bool {
        let own = match (self.has_samples, shape) {
            (true, []) => return false,
            (true, &[first, ref own @ ..]) => {
                let first = first as usize;
                if *samples.get_or_insert(first) != first {
                    return false;
                }
                own
            }
            (false, own) => own,
        };
        own == self.shape
    }
}

/// The numbers of an argument.
pub(super) enum Leaf<'py> {
    Array(Bound<'py, PyAny>),
    Number(f64),
}

/// Results that are arrays.
pub(super) struct Results {
    pub tree: Tree,
    pub arrays: Vec<Expected>,
}

/// Where arrays come from.
pub(super) struct Arrays<'a, 'py> {
    pub py: Python<'py>,
    pub api: &'a Api,
    /// The class `TRArray`.
    pub class: &'a Bound<'py, PyAny>,
}

impl<'py> Arrays<'_, 'py> {
    /// The numbers of an argument, if it is an array that can be read in place or, where an array without dimensions
    /// is expected, a number.
    pub fn leaf(
        &self,
        object: &Bound<'py, PyAny>,
        expected: &Expected,
        takes_numbers: bool,
        samples: &mut Option<usize>,
    ) -> Option<Leaf<'py>> {
        if let Some(memory) = self.api.doubles(object) {
            return expected.fits(memory.shape, samples).then(|| Leaf::Array(object.clone()));
        }
        if object.get_type_ptr().cast() == self.class.as_ptr() {
            let doubles = object.getattr(pyo3::intern!(self.py, "_doubles")).ok()?;
            let fits = expected.fits(self.api.doubles(&doubles)?.shape, samples);
            return fits.then_some(Leaf::Array(doubles));
        }
        if !takes_numbers || expected.has_samples || !expected.shape.is_empty() {
            return None;
        }
        let number = common_number(object)
            .or_else(|| self.api.double(object))
            .or_else(|| object.cast_exact::<PyInt>().ok()?.extract().ok())?;
        Some(Leaf::Number(TrScalar::from_ieee(number).to_ieee()))
    }

    /// What the engine reads; `None` if an array was given another shape since it was looked at.
    ///
    /// # Safety
    /// Nobody writes to the array while the input lives.
    pub unsafe fn input<'a>(
        &self,
        leaf: &'a Leaf<'py>,
        expected: &Expected,
        samples: usize,
    ) -> Option<Input<'a>> {
        let numbers = match leaf {
            Leaf::Number(number) => std::slice::from_ref(number),
            Leaf::Array(array) => {
                let memory = self.api.doubles(array)?;
                if !expected.fits(memory.shape, &mut Some(samples)) {
                    return None;
                }
                match size(memory) {
                    0 => &[],
                    // SAFETY: the array, which the leaf keeps alive, holds so many aligned doubles in a row.
                    size => unsafe { std::slice::from_raw_parts(memory.data.cast(), size) },
                }
            }
        };
        Some(if expected.has_samples { Input::PerSample(numbers) } else { Input::Shared(numbers) })
    }

    /// New arrays for results, or those of `out`; `None` if that is to be looked at in Python.
    pub fn results<T: Element>(
        &self,
        results: Option<&Results>,
        samples: Option<usize>,
        out: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
        let Some(results) = results else { return Ok(out.is_none().then(Vec::new)) };
        if out.is_none() {
            let new = |expected: &Expected| {
                let samples = samples.filter(|_| expected.has_samples);
                self.api.new_array::<T>(self.py, samples, &expected.shape)
            };
            return results.arrays.iter().map(new).collect::<PyResult<_>>().map(Some);
        }
        let mut given = Vec::with_capacity(results.arrays.len());
        let fits = results.tree.visit(out, true, &mut |leaf| {
            let Some(expected) = results.arrays.get(given.len()) else { return false };
            given.push(leaf.clone());
            let fits = |memory: Memory<'_>| expected.fits(memory.shape, &mut samples.or(Some(1)));
            self.api.doubles(leaf).is_some_and(|memory| memory.is_writeable && fits(memory))
        });
        Ok(fits.then_some(given))
    }

    /// The addresses of an array's memory.
    pub fn range(&self, array: &Bound<'py, PyAny>) -> Range<usize> {
        let memory = self.api.memory_of(array);
        let start = memory.data as usize;
        start..start + size_of::<f64>() * size(memory)
    }

    /// The memory of arrays.
    ///
    /// # Safety
    /// They are aligned, in C order, of this type, and share memory with nothing that is used while the slices live.
    #[expect(clippy::mut_from_ref, reason = "the memory is that of the arrays, which are Python objects")]
    pub unsafe fn slices<'a, T>(&self, arrays: &'a [Bound<'py, PyAny>]) -> Vec<&'a mut [T]> {
        let slice = |array: &'a Bound<'py, PyAny>| -> &'a mut [T] {
            let memory = self.api.memory_of(array);
            match size(memory) {
                0 => &mut [],
                // SAFETY: the caller's.
                size => unsafe { std::slice::from_raw_parts_mut(memory.data.cast(), size) },
            }
        };
        arrays.iter().map(slice).collect()
    }

    /// An array of doubles as a TRArray.
    pub fn wrapped(&self, array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the class is a type; a new object of it is returned, or null with an exception set.
        let object = unsafe {
            let class = self.class.as_ptr().cast();
            let object = ffi::PyType_GenericNew(class, std::ptr::null_mut(), std::ptr::null_mut());
            Bound::from_owned_ptr_or_err(self.py, object)?
        };
        object.setattr(pyo3::intern!(self.py, "_doubles"), array)?;
        Ok(object)
    }
}

/// How many numbers there are.
fn size(memory: Memory<'_>) -> usize {
    memory.shape.iter().map(|&length| length as usize).product()
}
