//! Freed objects to be used again: an operation frees about as many as it makes, and the list saves the way
//! through the allocator. A free-threaded interpreter has an allocator of its own for each thread, which needs
//! no such list.

#[cfg(not(Py_GIL_DISABLED))]
pub(super) use list::Spare;
#[cfg(Py_GIL_DISABLED)]
pub(super) use nothing::Spare;

#[cfg(not(Py_GIL_DISABLED))]
mod list {
    use pyo3::ffi;
    use std::cell::UnsafeCell;

    /// So many are kept.
    const MOST: usize = 64;

    struct Objects {
        list: [*mut ffi::PyObject; MOST],
        len: usize,
    }

    /// Memory of freed objects of one type.
    pub(in super::super) struct Spare(UnsafeCell<Objects>);

    // SAFETY: the objects are touched only by `take` and `put`, whose callers hold the GIL.
    unsafe impl Sync for Spare {}

    impl Spare {
        pub(in super::super) const fn new() -> Self {
            Self(UnsafeCell::new(Objects { list: [std::ptr::null_mut(); MOST], len: 0 }))
        }

        /// The memory of an object, if there is any.
        ///
        /// # Safety
        /// The GIL is held.
        #[inline(always)]
        pub(in super::super) unsafe fn take(&self) -> Option<*mut ffi::PyObject> {
            // SAFETY: the caller holds the GIL, so nobody else touches the list.
            let objects = unsafe { &mut *self.0.get() };
            objects.len = objects.len.checked_sub(1)?;
            Some(objects.list[objects.len])
        }

        /// Keeps the memory of an object, if there is room; returns whether there was.
        ///
        /// # Safety
        /// The GIL is held, and the object is not used again.
        #[inline(always)]
        pub(in super::super) unsafe fn put(&self, object: *mut ffi::PyObject) -> bool {
            // SAFETY: the caller holds the GIL, so nobody else touches the list.
            let objects = unsafe { &mut *self.0.get() };
            let has_room = objects.len < MOST;
            if has_room {
                objects.list[objects.len] = object;
                objects.len += 1;
            }
            has_room
        }
    }
}

#[cfg(Py_GIL_DISABLED)]
mod nothing {
    use pyo3::ffi;

    /// No list.
    pub(in super::super) struct Spare;

    impl Spare {
        pub(in super::super) const fn new() -> Self {
            Self
        }

        /// No memory.
        ///
        /// # Safety
        /// None is needed.
        pub(in super::super) unsafe fn take(&self) -> Option<*mut ffi::PyObject> {
            None
        }

        /// Keeps nothing.
        ///
        /// # Safety
        /// None is needed.
        pub(in super::super) unsafe fn put(&self, _object: *mut ffi::PyObject) -> bool {
            false
        }
    }
}
