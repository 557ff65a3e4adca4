//! The attribute `#[palitra::job("name")]`: registers an async function as a job when its library is loaded. And the codes
//! of a job's errors, `#[derive(palitra::ErrorCodes)]`: see `codes.rs`.
//!
//! The function stays as it is and can be called and tested like any other. Beside it stands a constructor that adds it
//! to the registry, with its doc comment as the job's documentation.
//!
//! What the compiler finds wrong it says once, where it is wrong: each line that is made from an argument or from the
//! result bears its place, and what no type can tell is looked at in `signature.rs`.

mod codes;
mod signature;

use proc_macro::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, DeriveInput, Expr, ExprLit, Ident, ItemFn, Lit, LitStr, Meta, Token, parse_macro_input};

use signature::Signature;

/// Registers an async function under a name. See the crate `palitra` for what it may take and return.
///
/// `#[job("name", inline)]` declares an inline job: its first poll never blocks, so that a call with a timeout polls it
/// on the calling thread, too. A job that is ready at once then costs no hand-off. What belongs to the first poll:
/// taking the arguments (the JSON of the payload, the first `State`), and everything up to the first `await` that
/// pends. While that takes its time, the timeout of the call does not hold: leave the word out in doubt.
#[proc_macro_attribute]
pub fn job(words: TokenStream, function: TokenStream) -> TokenStream {
    let words = parse_macro_input!(words as Words);
    let function: proc_macro2::TokenStream = function.into();
    let expanded = syn::parse2(function.clone())
        .map_err(|_| syn::Error::new_spanned(&function, "a job is an async function"))
        .and_then(|function| expand(&words, &function));
    // The function stands there in any case: its callers are not wrong.
    expanded
        .unwrap_or_else(|error| {
            let error = error.into_compile_error();
            quote!(#function #error)
        })
        .into()
}

/// Gives each variant of an enum of errors its code. See the trait `palitra::ErrorCodes`.
#[proc_macro_derive(ErrorCodes, attributes(code, detail))]
pub fn error_codes(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    codes::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What stands in the attribute: `"name"`, or `"name", inline`.
struct Words {
    name: LitStr,
    inline: bool,
}

impl Parse for Words {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let nameless = input.error("a job begins with its name: #[job(\"name\")]");
        let name: LitStr = input.parse().map_err(|_| nameless)?;
        if name.value().is_empty() || name.value().contains('\0') {
            return Err(syn::Error::new(name.span(), "a job's name is not empty and holds no NUL"));
        }
        if input.is_empty() {
            return Ok(Words { name, inline: false });
        }
        input.parse::<Token![,]>()?;
        let wrong = input.error("the only word after a job's name is `inline`");
        match input.parse::<Ident>() {
            Ok(word) if word == "inline" && input.is_empty() => Ok(Words { name, inline: true }),
            _ => Err(wrong),
        }
    }
}

fn expand(Words { name, inline }: &Words, function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    let signature = Signature::read(&function.sig)?;
    let (input, output, items) = (signature.input(), signature.output(), signature.items());
    let (call, describe) = (signature.call(), signature.describe());
    let doc = documentation(&function.attrs);
    Ok(quote! {
        #function

        const _: () = {
            const __PALITRA_JOB: ::palitra::__private::Description = ::palitra::__private::Description {
                name: #name,
                doc: #doc,
                place: ::core::concat!(::core::file!(), ":", ::core::line!()),
                input: #input,
                output: #output,
                items: #items,
                describe: #describe,
                inline: #inline,
            };
            extern "C" fn __palitra_register() {
                ::palitra::__private::register(__PALITRA_JOB, #call);
            }
            // What the macros of the crate ctor write, but for an `allow(unsafe_code)`: no crate that forbids unsafe
            // code takes that, while the lint looks at nothing that a macro of another crate wrote.
            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
            static __PALITRA_AT_LOAD: extern "C" fn() = __palitra_register;
        };
    })
}

/// The lines of the doc comment, without the space that each begins with.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(text);
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_string()).collect::<Vec<_>>().join("\n")
}

fn text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(meta) => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    }
}
