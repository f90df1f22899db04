//! Places in the user's program: where the interpreter is when something happens.
//!
//! A place is looked up only at an event, by walking the interpreter's frames from the innermost one
//! outwards past the package's own. Places are numbered, each held once and for ever: there are no more
//! than instructions of the program at which something happened.

use crate::guarded::Guarded;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::OnceLock;

/// A place in a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    file: String,
    function: String,
    /// The line, and the first one of the function.
    line: u32,
    first_line: u32,
    /// The byte offset of the instruction, which tells places of one line apart.
    instruction: u32,
}

/// The last line, first and last column of the expression, where the interpreter knows them.
type Span = (u32, u32, u32);

#[derive(Default)]
struct Places {
    numbers: HashMap<Place, u32>,
    all: Vec<(Place, Option<Span>)>,
}

static PLACES: Guarded<Places> = Guarded::new(Places::default);

/// The number of no place: there is no Python code around.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// The number of a place that is being looked for.
pub(crate) const PENDING: u32 = NOWHERE - 1;

/// The directory of the package, with a separator behind it: set when the module is initialised, since no
/// Python code may run while a cell is being filled. A hook or finalizer might come back here.
static PACKAGE: OnceLock<String> = OnceLock::new();

/// The place where the interpreter is now.
#[cold]
pub(crate) fn here(py: Python<'_>) -> u32 {
    // What cannot be looked up is nowhere: arithmetic never raises.
    find(py).unwrap_or(NOWHERE)
}

fn find(py: Python<'_>) -> PyResult<u32> {
    // SAFETY: the GIL is held; the reference is borrowed, and null if no code runs.
    let innermost = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetFrame().cast()) };
    let Some(innermost) = innermost else { return Ok(NOWHERE) };
    let Some(package) = PACKAGE.get() else { return Ok(NOWHERE) };
    let mut frame = innermost.clone();
    let mut code = frame.getattr("f_code")?;
    while code.getattr("co_filename")?.extract::<&str>()?.starts_with(package.as_str()) {
        frame = frame.getattr("f_back")?;
        if frame.is_none() {
            frame = innermost; // the package runs itself
            code = frame.getattr("f_code")?;
            break;
        }
        code = frame.getattr("f_code")?;
    }
    let name = code.getattr_opt("co_qualname")?;
    let name = name.map_or_else(|| code.getattr("co_name"), Ok)?;
    let place = Place {
        file: code.getattr("co_filename")?.extract()?,
        function: name.extract()?,
        line: frame.getattr("f_lineno")?.extract().unwrap_or(0),
        first_line: code.getattr("co_firstlineno")?.extract()?,
        instruction: frame.getattr("f_lasti")?.extract().unwrap_or(0),
    };
    if let Some(number) = PLACES.read(py, |places| places.numbers.get(&place).copied()) {
        return Ok(number);
    }
    let span = span(&code, place.instruction).unwrap_or(None);
    Ok(PLACES.write(py, |places| {
        match places.numbers.entry(place) {
            Entry::Occupied(found) => *found.get(), // by who came here meanwhile
            Entry::Vacant(free) => {
                places.all.push((free.key().clone(), span));
                *free.insert(places.all.len() as u32 - 1)
            }
        }
    }))
}

/// The extent of an instruction's expression, from CPython 3.11 on.
fn span(code: &Bound<'_, PyAny>, instruction: u32) -> PyResult<Option<Span>> {
    let Some(positions) = code.getattr_opt("co_positions")? else { return Ok(None) };
    // An instruction is two bytes.
    match positions.call0()?.try_iter()?.nth(instruction as usize / 2) {
        Some(position) => {
            let (_, last, start, end): (Option<u32>, Option<u32>, Option<u32>, Option<u32>) =
                position?.extract()?;
            Ok(last.zip(start).zip(end).map(|((last, start), end)| (last, start, end)))
        }
        None => Ok(None),
    }
}

/// A place as ``(file, function, line, first line, span)``; None for a number that is none's.
#[pyfunction]
pub(crate) fn place(py: Python<'_>, number: u32) -> PyResult<Option<Bound<'_, PyTuple>>> {
    let found = PLACES.read(py, |places| places.all.get(number as usize).cloned());
    let Some((place, span)) = found else { return Ok(None) };
    (place.file, place.function, place.line, place.first_line, span).into_pyobject(py).map(Some)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let path = py.import("zeroproof")?.getattr("__path__")?.get_item(0)?;
    let package: String = py.import("os.path")?.getattr("join")?.call1((path, ""))?.extract()?;
    PACKAGE.get_or_init(|| package);
    module.add_function(wrap_pyfunction!(place, module)?)
}
