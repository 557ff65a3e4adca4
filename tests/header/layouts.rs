//! The structs and callbacks of the header are those of the code: fields, types, sizes and places in memory.
//!
//! The Rust compiler says how the types of src/ffi/types are laid out, the C compilers compare.

use std::collections::BTreeSet;
use std::ffi::{c_char, c_void};
use std::fmt::Write as _;
use std::mem::offset_of;

use super::{code, compile, header};

#[path = "../../src/ffi/types"]
#[allow(dead_code, non_camel_case_types, reason = "a part of the library")]
mod types {
    pub mod call;
    pub mod callback;
    pub mod handle;
    pub mod job;
    pub mod log;
    pub mod queue;
    pub mod reply;
    pub mod runner;
    pub mod stats;
    pub mod status;
    pub mod submit;
    pub mod token;
}

use types::call::{palitra_cancel_fn, palitra_job_fn};
use types::callback::palitra_free_fn;
use types::handle::{palitra_call, palitra_queue, palitra_runner, palitra_token};
use types::job::palitra_job_info;
use types::log::palitra_log_fn;
use types::queue::palitra_event;
use types::reply::palitra_reply;
use types::runner::{palitra_runner_options, palitra_thread_fn};
use types::stats::palitra_stats;
use types::submit::{palitra_submission, palitra_submit_options};
use types::token::palitra_complete_fn;

/// A type of Rust's and how C writes it.
trait CType {
    fn in_c() -> String;
    /// Its first value.
    const ZERO: &'static str = "0";
}

macro_rules! c_types {
    ($($rust:ty => $c:literal),* $(,)?) => {
        $(impl CType for $rust {
            fn in_c() -> String {
                $c.to_string()
            }
        })*
    };
}

c_types! {
    () => "void",
    i32 => "int32_t",
    u32 => "uint32_t",
    i64 => "int64_t",
    u64 => "uint64_t",
    usize => "size_t",
    *const c_char => "const char *",
    *const u8 => "const uint8_t *",
    *const c_void => "const void *",
    *mut c_void => "void *",
}

macro_rules! handles {
    ($($handle:ident)*) => {
        $(impl CType for $handle {
            const ZERO: &'static str = "{0}";

            fn in_c() -> String {
                stringify!($handle).to_string()
            }
        })*
    };
}

handles!(palitra_runner palitra_token palitra_queue palitra_call);

macro_rules! callbacks {
    ($(($($parameter:ident)*))*) => {
        $(impl<R: CType, $($parameter: CType),*> CType for Option<unsafe extern "C" fn($($parameter),*) -> R> {
            fn in_c() -> String {
                format!("{} (*)({})", R::in_c(), [$($parameter::in_c()),*].join(", "))
            }
        })*
    };
}

callbacks!((A)(A B)(A B C)(A B C D));

/// The type of a field.
fn type_of<S, T: CType>(_: fn(S) -> T) -> (String, &'static str) {
    (T::in_c(), T::ZERO)
}

/// What the C compilers are to find true.
#[derive(Default)]
struct Claims {
    source: String,
    structs: BTreeSet<String>,
}

impl Claims {
    fn claim(&mut self, condition: &str) {
        writeln!(self.source, "_Static_assert({condition}, \"{condition}\");").expect("a String");
    }

    fn claim_type(&mut self, value: &str, kind: &str) {
        self.claim(&format!("_Generic({value}, {kind}: 1, default: 0)"));
    }
}

/// Claims everything about a struct. The pattern has every field, or this does not compile; the initializer has as many
/// values as the C struct has fields, or the compilers warn.
macro_rules! claim_struct {
    ($claims:ident, $name:ident { $($field:ident),* }) => {{
        let _ = |$name { $($field: _),* }: $name| ();
        let name = stringify!($name);
        $claims.structs.insert(name.to_string());
        $claims.claim(&format!("sizeof({name}) == {}", size_of::<$name>()));
        let mut values = Vec::new();
        $({
            let field = stringify!($field);
            $claims.claim(&format!("offsetof({name}, {field}) == {}", offset_of!($name, $field)));
            let (kind, zero) = type_of(|it: $name| it.$field);
            $claims.claim_type(&format!("(({name} *)0)->{field}"), &kind);
            values.push(zero);
        })*
        writeln!($claims.source, "const {name} zero_{name} = {{ {} }};", values.join(", ")).expect("a String");
    }};
}

#[test]
fn its_structs_are_the_codes() {
    let mut claims = Claims { source: "#include \"palitra.h\"\n".to_string(), ..Claims::default() };
    claim_struct!(claims, palitra_runner { id });
    claim_struct!(claims, palitra_token { id });
    claim_struct!(claims, palitra_queue { id });
    claim_struct!(claims, palitra_call { id });
    claim_struct!(claims, palitra_reply { status, code, format, data, len, owner });
    claim_struct!(claims, palitra_job_info { name, doc, input, output });
    claim_struct!(claims, palitra_event { tag, token, status });
    claim_struct!(
        claims,
        palitra_runner_options {
            size,
            worker_threads,
            max_blocking_threads,
            flags,
            thread_name,
            thread_stack_size,
            max_in_flight,
            max_payload,
            thread_start,
            thread_stop,
            thread_user_data,
            thread_free,
            spin_limit_ns,
            config
        }
    );
    claim_struct!(claims, palitra_submit_options { size, flags, deadline_ns, queue, tag, stream_items, reserved });
    claim_struct!(claims, palitra_submission { job, data, len, tag });
    claim_struct!(
        claims,
        palitra_stats {
            size,
            threads,
            submitted,
            running,
            queued,
            succeeded,
            failed,
            panicked,
            cancelled,
            deadline,
            longest_poll_ns
        }
    );
    let header = code(&header());
    let declared = header.split("typedef struct ").skip(1).filter_map(|rest| rest.split_whitespace().next());
    assert_eq!(claims.structs, declared.map(str::to_string).collect());
    compile("c", "c11", &claims.source);
}

#[test]
fn its_callbacks_are_the_codes() {
    let mut claims = Claims { source: "#include \"palitra.h\"\n".to_string(), ..Claims::default() };
    claims.claim_type("(palitra_free_fn)0", &palitra_free_fn::in_c());
    claims.claim_type("(palitra_thread_fn)0", &palitra_thread_fn::in_c());
    claims.claim_type("(palitra_log_fn)0", &palitra_log_fn::in_c());
    claims.claim_type("(palitra_complete_fn)0", &palitra_complete_fn::in_c());
    claims.claim_type("(palitra_job_fn)0", &palitra_job_fn::in_c());
    claims.claim_type("(palitra_cancel_fn)0", &palitra_cancel_fn::in_c());
    assert_eq!(code(&header()).matches("typedef void (*").count(), 6);
    compile("c", "c11", &claims.source);
}
