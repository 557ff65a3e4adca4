//! The attribute `#[palitra::job("name")]`: registers an async function as a job when its library is loaded.
//!
//! The function stays as it is and can be called and tested like any other. Beside it stands a constructor
//! that adds it to the registry, with its doc comment as the job's documentation.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, ItemFn, Lit, LitStr, Meta, parse_macro_input};

/// Registers an async function under a name. See the crate `palitra` for what it may take and return.
#[proc_macro_attribute]
pub fn job(name: TokenStream, function: TokenStream) -> TokenStream {
    let name = parse_macro_input!(name as LitStr);
    let function = parse_macro_input!(function as ItemFn);
    expand(&name, &function).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn expand(name: &LitStr, function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
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
                    ::palitra::__private::register(#name, #doc, #identifier);
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
