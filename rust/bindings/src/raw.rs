//! Small heap types written against the C API: the one unsafe module of the hot path.
//!
//! A class made by PyO3 costs 25 ns more for each object and call than one made here: it goes
//! through the generic allocator, counts the attachment of the thread, and matches keyword
//! arguments. Nodes and TR scalars are made and dropped for every operation, so they are plain
//! objects of a header and eight bytes, without a dictionary, weak references or subclasses, and are
//! not tracked by the garbage collector, since they hold no references.
//!
//! What the callers rely on, and what is upheld here:
//! * every `extern "C"` function is called by the interpreter with the GIL held, and returns an
//!   owned reference or null with an exception set;
//! * no panic crosses `extern "C"`: [`guard`] turns one into a `PanicException`;
//! * an object's payload is read only after its exact type was compared ([`payload`]).

mod arguments;
mod spare;

pub(crate) use arguments::Arguments;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use spare::Spare;
use std::ffi::{CStr, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicPtr, Ordering};

/// What an object of a small type holds.
pub(crate) trait Payload: Copy + 'static {
    /// The type object, set once by [`Spec::build`].
    fn class() -> &'static Class;

    /// Gives back what the payload stands for; called once, with the GIL held.
    fn release(self, _py: Python<'_>) {}
}

/// A type object, null until it is built, and the memory of a few of its objects that are no more.
pub(crate) struct Class {
    object: AtomicPtr<ffi::PyTypeObject>,
    spare: Spare,
}

impl Class {
    pub(crate) const fn new() -> Self {
        Self { object: AtomicPtr::new(std::ptr::null_mut()), spare: Spare::new() }
    }

    #[inline(always)]
    fn get(&self) -> *mut ffi::PyTypeObject {
        self.object.load(Ordering::Relaxed)
    }

    /// An object of the type with an initialised header, or null with an exception set.
    ///
    /// # Safety
    /// The GIL is held, the type is built and its basic size is that of `Object<P>`.
    #[inline(always)]
    unsafe fn allocate<P>(&self) -> *mut ffi::PyObject {
        // SAFETY: the caller holds the GIL, and `PyObject_Init` writes the header of what was an object of
        // this size.
        unsafe {
            match self.spare.take() {
                Some(object) => ffi::PyObject_Init(object, self.get()),
                None => ffi::PyObject_New::<Object<P>>(self.get()).cast(),
            }
        }
    }

    /// Takes back the memory of an object that has been released.
    ///
    /// # Safety
    /// The GIL is held, and the object came from `allocate` and is not used again.
    #[inline(always)]
    unsafe fn free(&self, object: *mut ffi::PyObject) {
        // SAFETY: the caller holds the GIL and gives the object up.
        unsafe {
            if !self.spare.put(object) {
                ffi::PyObject_Free(object.cast());
            }
        }
    }

    /// The type as a Python object.
    pub(crate) fn bind<'py>(&self, py: Python<'py>) -> Bound<'py, PyType> {
        // SAFETY: the module is initialised before anything here is called, so the type is built,
        // and `Spec::build` keeps it alive for ever.
        unsafe { Bound::from_borrowed_ptr(py, self.get().cast()).cast_into_unchecked() }
    }
}

#[repr(C)]
struct Object<P> {
    header: ffi::PyObject,
    payload: P,
}

/// The payload of an object whose type is exactly that of `P`.
#[inline(always)]
pub(crate) fn payload<P: Payload>(object: &Bound<'_, PyAny>) -> Option<P> {
    let pointer = object.as_ptr();
    // SAFETY: the object is alive, so its type can be read; when the type is that of `P`, which has
    // no subclasses, the object was made by `new_object::<P>`.
    unsafe { (ffi::Py_TYPE(pointer) == P::class().get()).then(|| (*pointer.cast::<Object<P>>()).payload) }
}

/// A new object. The payload is released at once if there is no memory for it.
#[inline(always)]
pub(crate) fn new_object<P: Payload>(py: Python<'_>, payload: P) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: the type is built and its basic size is that of `Object<P>`; on success the header is
    // initialised and the payload is written before anyone can see the object.
    unsafe {
        let object = P::class().allocate::<P>();
        if object.is_null() {
            payload.release(py);
            return Err(PyErr::fetch(py));
        }
        (&raw mut (*object.cast::<Object<P>>()).payload).write(payload);
        Ok(Bound::from_owned_ptr(py, object))
    }
}

/// `tp_dealloc`: releases the payload, frees the object and drops its reference to the type.
unsafe extern "C" fn deallocate<P: Payload>(object: *mut ffi::PyObject) {
    // SAFETY: called once by the interpreter, with the GIL held, on an object of `P`'s type.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let py = Python::assume_attached();
        let payload = (*object.cast::<Object<P>>()).payload;
        if catch_unwind(AssertUnwindSafe(|| payload.release(py))).is_err() {
            bug().write_unraisable(py, None);
        }
        P::class().free(object);
        ffi::Py_DECREF(class.cast());
    }
}

/// `tp_new` for types that are made by functions only.
unsafe extern "C" fn refuse_new(
    class: *mut ffi::PyTypeObject,
    _args: *mut ffi::PyObject,
    _kwargs: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter passes a type object, with the GIL held.
    unsafe {
        guard(|py| {
            let class: Bound<'_, PyType> = Bound::from_borrowed_ptr(py, class.cast()).cast_into_unchecked();
            let name = class.name()?;
            Err::<Bound<'_, PyAny>, _>(PyTypeError::new_err(format!(
                "{name} is made by {name}.parameter(value), {name}.input(value) or {name}.constant(value)"
            )))
        })
    }
}

/// What a guarded function returns to the interpreter.
pub(crate) trait Returned {
    type Raw;
    /// What tells the interpreter that an exception is set.
    const ERROR: Self::Raw;
    fn into_raw(self) -> Self::Raw;
}

impl Returned for Bound<'_, PyAny> {
    type Raw = *mut ffi::PyObject;
    const ERROR: Self::Raw = std::ptr::null_mut();
    fn into_raw(self) -> Self::Raw {
        self.into_ptr()
    }
}

impl Returned for bool {
    type Raw = c_int;
    const ERROR: c_int = -1;
    fn into_raw(self) -> c_int {
        self.into()
    }
}

/// That a setter did its work.
pub(crate) struct Done;

impl Returned for Done {
    type Raw = c_int;
    const ERROR: c_int = -1;
    fn into_raw(self) -> c_int {
        0
    }
}

impl Returned for isize {
    type Raw = ffi::Py_hash_t;
    const ERROR: ffi::Py_hash_t = -1;
    fn into_raw(self) -> ffi::Py_hash_t {
        if self == -1 { -2 } else { self }
    }
}

/// The body of an `extern "C"` function: errors become exceptions, panics too.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub(crate) unsafe fn guard<'py, R: Returned>(body: impl FnOnce(Python<'py>) -> PyResult<R>) -> R::Raw {
    // SAFETY: the caller holds the GIL.
    let py = unsafe { Python::assume_attached() };
    match catch_unwind(AssertUnwindSafe(|| body(py))) {
        Ok(Ok(result)) => result.into_raw(),
        Ok(Err(error)) => {
            error.restore(py);
            R::ERROR
        }
        Err(_) => {
            bug().restore(py);
            R::ERROR
        }
    }
}

/// [`guard`] for a body that has a second chance: `otherwise` sees its error. The way without an error
/// is that of [`guard`].
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub(crate) unsafe fn guard_or<'py, R: Returned>(
    body: impl FnOnce(Python<'py>) -> PyResult<R>,
    otherwise: impl Fn(Python<'py>, PyErr) -> PyResult<R>,
) -> R::Raw {
    // SAFETY: the caller holds the GIL.
    let py = unsafe { Python::assume_attached() };
    match catch_unwind(AssertUnwindSafe(|| body(py))) {
        Ok(Ok(result)) => result.into_raw(),
        Ok(Err(error)) => second_chance(py, error, &otherwise),
        Err(_) => {
            bug().restore(py);
            R::ERROR
        }
    }
}

/// Compiled once for all bodies.
#[cold]
#[inline(never)]
fn second_chance<'py, R: Returned>(
    _py: Python<'py>,
    error: PyErr,
    otherwise: &dyn Fn(Python<'py>, PyErr) -> PyResult<R>,
) -> R::Raw {
    // SAFETY: whoever has a token of the interpreter holds the GIL.
    unsafe { guard(|py| otherwise(py, error)) }
}

#[cold]
fn bug() -> PyErr {
    PanicException::new_err("a bug in zeroproof: the message of the panic is on stderr")
}

/// A method definition: `method!(c"name", flags, c"doc", |py, this, arguments| body)`. After `else`, a
/// body may have a second chance, which sees its error: `|error, arguments| body`.
macro_rules! method {
    ($name:expr, $flags:expr, $doc:expr, |$py:ident, $this:ident, $arguments:ident| $body:expr) => {
        $crate::raw::method!($name, $flags, $doc, |$py, $this, $arguments| $body, else |error, _arguments| Err(error))
    };
    (
        $name:expr, $flags:expr, $doc:expr, |$py:ident, $this:ident, $arguments:ident| $body:expr,
        else |$error:ident, $again:ident| $otherwise:expr
    ) => {{
        unsafe extern "C" fn call(
            this: *mut pyo3::ffi::PyObject,
            args: *const *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
            names: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: called by the interpreter with the GIL held and the arguments of a fast call;
            // `this` is null only for static methods, which do not look at it.
            unsafe {
                $crate::raw::guard_or(
                    |$py| {
                        let $this = pyo3::Bound::from_borrowed_ptr_or_opt($py, this);
                        let $arguments = $crate::raw::Arguments::new($py, args, count, names);
                        $body
                    },
                    |py, $error| {
                        let $again = $crate::raw::Arguments::new(py, args, count, names);
                        $otherwise
                    },
                )
            }
        }
        pyo3::ffi::PyMethodDef {
            ml_name: CStr::as_ptr($name),
            ml_meth: pyo3::ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: call },
            ml_flags: pyo3::ffi::METH_FASTCALL | pyo3::ffi::METH_KEYWORDS | $flags,
            ml_doc: CStr::as_ptr($doc),
        }
    }};
}
pub(crate) use method;

/// A property: `property!(c"name", c"doc", |py, this| body)`, read-only unless
/// `set |py, this, value| body` follows.
macro_rules! property {
    (
        $name:expr, $doc:expr, |$py:ident, $this:ident| $body:expr,
        set |$set_py:ident, $set_this:ident, $value:ident| $assignment:expr
    ) => {{
        unsafe extern "C" fn set(
            this: *mut pyo3::ffi::PyObject,
            value: *mut pyo3::ffi::PyObject,
            _closure: *mut std::ffi::c_void,
        ) -> std::ffi::c_int {
            // SAFETY: called by the interpreter with the GIL held, on an object of the type, with a live
            // value or null for a deletion.
            unsafe {
                $crate::raw::guard(|$set_py| {
                    let $set_this = &pyo3::Borrowed::from_ptr($set_py, this);
                    let $value = &pyo3::Borrowed::from_ptr_or_opt($set_py, value).ok_or_else(|| {
                        pyo3::exceptions::PyAttributeError::new_err(
                            "an attribute of a node cannot be deleted",
                        )
                    })?;
                    $assignment.map(|()| $crate::raw::Done)
                })
            }
        }
        pyo3::ffi::PyGetSetDef { set: Some(set), ..$crate::raw::property!($name, $doc, |$py, $this| $body) }
    }};
    ($name:expr, $doc:expr, |$py:ident, $this:ident| $body:expr) => {{
        unsafe extern "C" fn get(
            this: *mut pyo3::ffi::PyObject,
            _closure: *mut std::ffi::c_void,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: called by the interpreter with the GIL held, on an object of the type.
            unsafe {
                $crate::raw::guard(|$py| {
                    let $this = &pyo3::Borrowed::from_ptr($py, this);
                    $body
                })
            }
        }
        pyo3::ffi::PyGetSetDef {
            name: CStr::as_ptr($name),
            get: Some(get),
            set: None,
            doc: CStr::as_ptr($doc),
            closure: std::ptr::null_mut(),
        }
    }};
}
pub(crate) use property;

/// A slot: `slot!(Py_nb_add, (a, b) -> PyObject, |py| body)`, with the operands as borrowed objects.
macro_rules! slot {
    ($slot:ident, ($($operand:ident),*) -> $raw:ty, |$py:ident| $body:expr) => {{
        unsafe extern "C" fn call($($operand: *mut pyo3::ffi::PyObject),*) -> $raw {
            // SAFETY: called by the interpreter with the GIL held and live operands.
            unsafe {
                $crate::raw::guard(|$py| {
                    $(let $operand = &pyo3::Borrowed::from_ptr($py, $operand);)*
                    $body
                })
            }
        }
        pyo3::ffi::PyType_Slot { slot: pyo3::ffi::$slot, pfunc: call as *mut std::ffi::c_void }
    }};
}
pub(crate) use slot;

/// `tp_richcompare`, from a function `(py, a, b, op)`.
macro_rules! compare_slot {
    ($compare:path) => {{
        unsafe extern "C" fn call(
            a: *mut pyo3::ffi::PyObject,
            b: *mut pyo3::ffi::PyObject,
            op: std::ffi::c_int,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: called by the interpreter with the GIL held and live operands.
            unsafe {
                $crate::raw::guard(|py| {
                    let (a, b) = (&pyo3::Borrowed::from_ptr(py, a), &pyo3::Borrowed::from_ptr(py, b));
                    let op = pyo3::basic::CompareOp::from_raw(op).expect("one of six comparisons");
                    $compare(py, a, b, op)
                })
            }
        }
        pyo3::ffi::PyType_Slot { slot: pyo3::ffi::Py_tp_richcompare, pfunc: call as *mut std::ffi::c_void }
    }};
}
pub(crate) use compare_slot;

/// What a small type is built from.
pub(crate) struct Spec {
    pub name: &'static CStr,
    pub doc: &'static CStr,
    pub slots: Vec<ffi::PyType_Slot>,
    pub methods: Vec<ffi::PyMethodDef>,
    pub properties: Vec<ffi::PyGetSetDef>,
}

impl Spec {
    /// Builds the type and makes it that of `P`, when the module is first initialised. Initialised
    /// again, the module gets the same type, so that objects made before stay what they are.
    pub(crate) fn build<P: Payload>(mut self, py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
        if !P::class().get().is_null() {
            return Ok(P::class().bind(py));
        }
        let mut slots = self.slots;
        let mut slot = |slot: c_int, pfunc: *mut c_void| slots.insert(0, ffi::PyType_Slot { slot, pfunc });
        // SAFETY: all-zero definitions end the tables, as the C API has it.
        self.methods.push(unsafe { std::mem::zeroed() });
        // SAFETY: likewise.
        self.properties.push(unsafe { std::mem::zeroed() });
        // The type refers to both tables for ever.
        slot(ffi::Py_tp_methods, Box::leak(self.methods.into_boxed_slice()).as_mut_ptr().cast());
        slot(ffi::Py_tp_getset, Box::leak(self.properties.into_boxed_slice()).as_mut_ptr().cast());
        slot(ffi::Py_tp_doc, self.doc.as_ptr().cast_mut().cast());
        slot(ffi::Py_tp_dealloc, deallocate::<P> as *mut c_void);
        slot(ffi::Py_tp_new, refuse_new as *mut c_void); // a later slot of the caller's wins
        slots.push(ffi::PyType_Slot { slot: 0, pfunc: std::ptr::null_mut() });
        let mut spec = ffi::PyType_Spec {
            name: self.name.as_ptr(),
            basicsize: size_of::<Object<P>>() as c_int,
            itemsize: 0,
            flags: ffi::Py_TPFLAGS_DEFAULT as c_uint,
            slots: slots.as_mut_ptr(),
        };
        // SAFETY: the spec is complete and its tables are terminated; the new reference is checked.
        let class = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&mut spec))? };
        let class = class.cast_into::<PyType>()?;
        let kept = class.clone().into_ptr(); // for ever
        #[cfg(Py_GIL_DISABLED)]
        // SAFETY: the type is alive and nobody else has it yet.
        unsafe {
            make_immortal(kept);
        }
        P::class().object.store(kept.cast(), Ordering::Relaxed);
        Ok(class)
    }
}

/// Has an object that is kept for ever not be counted: threads that make and drop objects of a type would
/// otherwise all write to one counter, and wait for each other's processor to hand its cache line over. That is
/// what the interpreter itself does with types.
///
/// # Safety
/// The object is alive, kept for ever and known to this thread only.
#[cfg(Py_GIL_DISABLED)]
unsafe fn make_immortal(object: *mut ffi::PyObject) {
    // SAFETY: the object is alive; one that is not counted must not be tracked by the collector.
    unsafe {
        ffi::PyObject_GC_UnTrack(object.cast());
        (*object).ob_ref_local.store(u32::MAX, Ordering::Relaxed);
    }
}

/// Sets functions as attributes of a module or a class, each under `prefix` and its name less
/// `tr_`. `home` is the module that they are to be imported from. On a class they act as static
/// methods; a `staticmethod` object in their place would keep the interpreter from caching the
/// look-up.
pub(crate) fn set_functions(
    owner: &Bound<'_, PyAny>,
    prefix: &str,
    home: &str,
    functions: Vec<ffi::PyMethodDef>,
) -> PyResult<()> {
    let py = owner.py();
    let home = PyString::new(py, home);
    for definition in Box::leak(functions.into_boxed_slice()) {
        // SAFETY: the definition lives for ever, and the new reference is checked.
        let function = unsafe {
            let new = ffi::PyCFunction_NewEx(definition, std::ptr::null_mut(), home.as_ptr());
            Bound::from_owned_ptr_or_err(py, new)?
        };
        // SAFETY: the name is a C string of the definition.
        let name = unsafe { CStr::from_ptr(definition.ml_name) }.to_string_lossy();
        owner.setattr(format!("{prefix}{}", name.strip_prefix("tr_").unwrap_or(&name)), function)?;
    }
    Ok(())
}

/// Adds a method to a class that is built.
pub(crate) fn set_method(class: &Bound<'_, PyType>, definition: ffi::PyMethodDef) -> PyResult<()> {
    let definition = Box::leak(Box::new(definition));
    // SAFETY: the class is a type, the definition lives for ever and names itself by a C string; the new
    // reference is checked.
    let (name, method) = unsafe {
        let new = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        (CStr::from_ptr(definition.ml_name), Bound::from_owned_ptr_or_err(class.py(), new)?)
    };
    class.setattr(&*name.to_string_lossy(), method)
}

/// What makes a function a method where it is an attribute of a class, as Python's own functions are.
pub(crate) fn as_method<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    unsafe extern "C" {
        fn PyInstanceMethod_New(function: *mut ffi::PyObject) -> *mut ffi::PyObject;
    }
    // SAFETY: any object may be wrapped; the new reference is checked.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), PyInstanceMethod_New(function.as_ptr())) }
}
