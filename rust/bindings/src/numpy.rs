//! NumPy's arrays, read and made without calling Python: the fixed cost of a batched call is little more than
//! that of its arrays.
//!
//! NumPy hands extension modules the layout of its array objects and a table of functions. Both are fixed by the
//! version of its binary interface, which is asked before either is used. Where it is another than the two that
//! exist, there is no [`Api`], and callers go through Python.

use crate::locks::filled;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyFloat;
use std::ffi::{c_int, c_uint, c_void};

/// The versions of the binary interface in which what is used here is the same: NumPy 1 and 2.
const VERSIONS: [c_uint; 2] = [0x0100_0009, 0x0200_0000];

/// Places in NumPy's table.
const VERSION: usize = 0;
const ARRAY_TYPE: usize = 2;
const DTYPE_FROM_TYPE: usize = 45;
const NEW: usize = 93;

/// NumPy's numbers of element types.
const UINT8: c_int = 2;
const FLOAT64: c_int = 12;

/// NumPy's flags.
const C_CONTIGUOUS: c_int = 0x0001;
const ALIGNED: c_int = 0x0100;
const WRITEABLE: c_int = 0x0400;
/// Also of arrays that NumPy makes read-only some day; buffers of them are read-only already.
const WARN_ON_WRITE: c_int = c_int::MIN;

/// The most dimensions of an array that is looked at here.
const MOST_DIMENSIONS: usize = 16;

/// An array object, as NumPy lays it out.
#[repr(C)]
struct ArrayObject {
    header: ffi::PyObject,
    data: *mut c_void,
    dimensions: c_int,
    shape: *const isize,
    strides: *const isize,
    base: *mut ffi::PyObject,
    dtype: *mut ffi::PyObject,
    flags: c_int,
}

type New = unsafe extern "C" fn(
    *mut ffi::PyTypeObject,
    c_int,
    *const isize,
    c_int,
    *const isize,
    *mut c_void,
    c_int,
    c_int,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// What is used of NumPy's table.
pub(crate) struct Api {
    class: Py<PyAny>,
    float64: Py<PyAny>,
    /// `numpy.float64`, a subclass of `float`.
    double_class: Py<PyAny>,
    new: New,
}

/// An element type of results.
pub(crate) trait Element {
    const TYPE: c_int;
}

impl Element for f64 {
    const TYPE: c_int = FLOAT64;
}

impl Element for u8 {
    const TYPE: c_int = UINT8;
}

/// The memory of an array. It is valid while the array is alive and nobody gives it other memory.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a> {
    pub data: *mut c_void,
    pub shape: &'a [isize],
    pub is_writeable: bool,
}

impl Api {
    /// NumPy's, unless its binary interface is not known.
    pub fn get(py: Python<'_>) -> Option<&'static Self> {
        static API: PyOnceLock<Option<Api>> = PyOnceLock::new();
        filled(&API, py, || Ok(Self::load(py).ok().flatten())).ok()?.as_ref()
    }

    fn load(py: Python<'_>) -> PyResult<Option<Self>> {
        // NumPy 2, then NumPy 1.
        let module = py.import("numpy._core._multiarray_umath");
        let module = module.or_else(|_| py.import("numpy.core._multiarray_umath"))?;
        let capsule = module.getattr("_ARRAY_API")?;
        // SAFETY: the capsule, which has no name, holds NumPy's table for as long as the process lives. Its entries
        // used here have these types in the versions that are accepted, and the first has its type in all.
        unsafe {
            let table = ffi::PyCapsule_GetPointer(capsule.as_ptr(), std::ptr::null());
            if table.is_null() {
                return Err(PyErr::fetch(py));
            }
            let table = table.cast::<*mut c_void>();
            let version: unsafe extern "C" fn() -> c_uint = std::mem::transmute(*table.add(VERSION));
            if !VERSIONS.contains(&version()) {
                return Ok(None);
            }
            let dtype: unsafe extern "C" fn(c_int) -> *mut ffi::PyObject =
                std::mem::transmute(*table.add(DTYPE_FROM_TYPE));
            let float64 = Bound::from_owned_ptr_or_err(py, dtype(FLOAT64))?;
            Ok(Some(Self {
                class: Bound::from_borrowed_ptr(py, (*table.add(ARRAY_TYPE)).cast()).unbind(),
                double_class: float64.getattr("type")?.unbind(),
                float64: float64.unbind(),
                new: std::mem::transmute::<*mut c_void, New>(*table.add(NEW)),
            }))
        }
    }

    /// Whether an object is an array, and of no subclass.
    #[inline]
    pub fn is_array(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type_ptr().cast() == self.class.as_ptr()
    }

    /// The number of a `numpy.float64`, and of no subclass.
    #[inline]
    pub fn double(&self, object: &Bound<'_, PyAny>) -> Option<f64> {
        let is_double = object.get_type_ptr().cast() == self.double_class.as_ptr();
        object.cast::<PyFloat>().ok().filter(|_| is_double).map(|double| double.value())
    }

    /// The memory of an array of doubles in C order, and aligned; `None` for anything else.
    #[inline]
    pub fn doubles<'a>(&self, object: &'a Bound<'_, PyAny>) -> Option<Memory<'a>> {
        if !self.is_array(object) {
            return None;
        }
        // SAFETY: an object of this type has this layout in the versions that are accepted. Its shape is as long as
        // it has dimensions, and lives as long as the array does, unless Python code runs that sets another.
        unsafe {
            let array = object.as_ptr().cast::<ArrayObject>();
            let flags = (*array).flags;
            let is_ready = flags & C_CONTIGUOUS != 0 && flags & ALIGNED != 0;
            if !is_ready || (*array).dtype != self.float64.as_ptr() {
                return None;
            }
            Some(Self::memory(array))
        }
    }

    /// # Safety
    /// It is an array, alive for as long as is claimed.
    unsafe fn memory<'a>(array: *const ArrayObject) -> Memory<'a> {
        // SAFETY: as the caller says. An array without dimensions may have no shape.
        unsafe {
            let dimensions = usize::try_from((*array).dimensions).unwrap_or(0);
            let shape = match dimensions {
                0 => &[],
                _ => std::slice::from_raw_parts((*array).shape, dimensions),
            };
            let is_writeable = (*array).flags & (WRITEABLE | WARN_ON_WRITE) == WRITEABLE;
            Memory { data: (*array).data, shape, is_writeable }
        }
    }

    /// A new array of undefined numbers, with an axis of samples in front if there is a number of them.
    ///
    /// # Errors
    /// What NumPy raises, such as `MemoryError`.
    pub fn new_array<'py, T: Element>(
        &self,
        py: Python<'py>,
        samples: Option<usize>,
        shape: &[isize],
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut dimensions = [0; MOST_DIMENSIONS];
        let first = usize::from(samples.is_some());
        dimensions[0] = samples.map_or(0, |samples| samples as isize);
        dimensions[first..first + shape.len()].copy_from_slice(shape);
        // SAFETY: so many dimensions are given; null pointers and zeros mean that NumPy is to find memory, in C order.
        unsafe {
            let array = (self.new)(
                self.class.as_ptr().cast(),
                (first + shape.len()) as c_int,
                dimensions.as_ptr(),
                T::TYPE,
                std::ptr::null(),
                std::ptr::null_mut(),
                0,
                0,
                std::ptr::null_mut(),
            );
            Bound::from_owned_ptr_or_err(py, array)
        }
    }

    /// Whether an array of so many dimensions, without that of samples, can be handled here.
    pub fn takes(dimensions: usize) -> bool {
        dimensions < MOST_DIMENSIONS
    }

    /// The memory of an array that `new_array` made.
    pub fn memory_of<'a>(&self, array: &'a Bound<'_, PyAny>) -> Memory<'a> {
        debug_assert!(self.is_array(array), "arrays are made by new_array");
        // SAFETY: it is an array.
        unsafe { Self::memory(array.as_ptr().cast()) }
    }
}
