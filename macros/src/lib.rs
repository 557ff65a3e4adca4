//! The attribute `#[palitra::job("name")]`: registers an async function as a job when its library is loaded.
//!
//! The function stays as it is and can be called and tested like any other. Beside it stands a constructor
//! that adds it to the registry, with its doc comment as the job's documentation.

use proc_macro::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, ExprLit, Ident, ItemFn, Lit, LitStr, Meta, Token, parse_macro_input};

/// Registers an async function under a name. See the crate `palitra` for what it may take and return.
///
/// `#[job("name", inline)]` declares an inline job: its first poll never blocks, so that a call with a timeout polls it
/// on the calling thread, too. A job that is ready at once then costs no hand-off. What belongs to the first poll:
/// taking the arguments (the JSON of the payload, the first `State`), and everything up to the first `await` that
/// pends. While that takes its time, the timeout of the call does not hold: leave the word out in doubt.
#[proc_macro_attribute]
pub fn job(words: TokenStream, function: TokenStream) -> TokenStream {
    let words = parse_macro_input!(words as Words);
    let function = parse_macro_input!(function as ItemFn);
    expand(&words, &function).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What stands in the attribute: `"name"`, or `"name", inline`.
struct Words {
    name: LitStr,
    inline: bool,
}

impl Parse for Words {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let nameless = input.error("a job begins with its name: #[job(\"name\")]");
        let name = input.parse().map_err(|_| nameless)?;
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
    if name.value().is_empty() || name.value().contains('\0') {
        return Err(syn::Error::new(name.span(), "a job's name is not empty and holds no NUL"));
    }
    if function.sig.asyncness.is_none() {
        return Err(syn::Error::new_spanned(&function.sig, "a job is an async function"));
    }
    let identifier = &function.sig.ident;
    let doc = documentation(&function.attrs);
    Ok(quote! {
        #function

        const _: () = {
            ::palitra::__private::ctor! {
                #[ctor(unsafe, crate_path = ::palitra::__private)]
                fn register() {
                    ::palitra::__private::register(#name, #doc, #inline, #identifier);
                }
            }
        };
    })
}

/// The lines of the doc comment, without the space that each begins with.
fn documentation(attributes: &[Attribute]) -> String {
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
