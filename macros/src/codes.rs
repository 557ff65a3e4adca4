//! `#[derive(palitra::ErrorCodes)]`: the codes of an enum of errors, and how one of them becomes a job's failure.
//!
//! What no type can tell is looked at here: every variant has a code, no two have the same, and a detail has a name.

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Expr, ExprLit, Field, Ident, Lit, Meta, UnOp, Variant};

use crate::documentation;

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(errors) = &input.data else {
        let message = "codes are those of an enum: one for each of its variants";
        return Err(syn::Error::new_spanned(&input.ident, message));
    };
    let codes = errors.variants.iter().map(code).collect::<syn::Result<Vec<_>>>()?;
    check_unique(&errors.variants.iter().collect::<Vec<_>>(), &codes)?;
    let rows = std::iter::zip(&errors.variants, &codes).map(|(variant, (code, _))| {
        let (name, doc) = (variant.ident.unraw().to_string(), documentation(&variant.attrs));
        quote!((#name, #code, #doc))
    });
    let code_of = std::iter::zip(&errors.variants, &codes).map(|(variant, (code, _))| {
        let name = &variant.ident;
        quote!(Self::#name { .. } => #code)
    });
    let details = errors.variants.iter().map(details).collect::<syn::Result<Vec<_>>>()?;
    let details = details.into_iter().flatten();
    let name = &input.ident;
    // Here the compiler says that an error has no message.
    let failure = quote_spanned! {name.span()=>
        Self::from_error(::palitra::ErrorCodes::code(&error), &error)
    };
    let (generics, of, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::palitra::ErrorCodes for #name #of #bounds {
            const CODES: &'static [(&'static str, i32, &'static str)] = &[#(#rows),*];

            fn code(&self) -> i32 {
                match *self { #(#code_of),* }
            }
        }

        #[automatically_derived]
        impl #generics ::core::convert::From<#name #of> for ::palitra::JobError #bounds {
            fn from(error: #name #of) -> Self {
                let failure = #failure;
                match &error {
                    #(#name::#details,)*
                    #[allow(unreachable_patterns)]
                    _ => failure,
                }
            }
        }
    })
}

/// The code of a variant, and where it stands.
fn code(variant: &Variant) -> syn::Result<(i32, Span)> {
    let mut attributes = variant.attrs.iter().filter(|attribute| attribute.path().is_ident("code"));
    let Some(attribute) = attributes.next() else {
        return Err(syn::Error::new_spanned(variant, "every variant has a code: #[code = 1]"));
    };
    if let Some(second) = attributes.next() {
        return Err(syn::Error::new_spanned(second, "a variant has one code"));
    }
    match number(attribute) {
        Some(0) => Err(syn::Error::new_spanned(attribute, "0 is the code of failures that have none")),
        Some(code) => Ok((code, attribute.span())),
        None => Err(syn::Error::new_spanned(attribute, "a code is a number of 32 bits: #[code = 1]")),
    }
}

/// Of `#[code = 1]` or `#[code(-1)]`: behind `=` the language allows no sign.
fn number(attribute: &Attribute) -> Option<i32> {
    let value = match &attribute.meta {
        Meta::NameValue(meta) => meta.value.clone(),
        Meta::List(list) => list.parse_args().ok()?,
        Meta::Path(_) => return None,
    };
    match &value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Unary(negative) => match (&negative.op, &*negative.expr) {
            (UnOp::Neg(_), Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => {
                format!("-{}", number.base10_digits()).parse().ok()
            }
            _ => None,
        },
        _ => None,
    }
}

fn check_unique(variants: &[&Variant], codes: &[(i32, Span)]) -> syn::Result<()> {
    let mut seen = HashMap::new();
    for (variant, (code, place)) in std::iter::zip(variants, codes) {
        if let Some(other) = seen.insert(code, &variant.ident) {
            return Err(syn::Error::new(*place, format!("{code} is the code of `{other}` already")));
        }
    }
    Ok(())
}

/// The arm that gives a failure the fields with `#[detail]`; none for a variant without them.
fn details(variant: &Variant) -> syn::Result<Option<TokenStream>> {
    let marked: Vec<_> = variant.fields.iter().filter(|field| is_detail(field)).collect();
    let fields = marked.into_iter().map(named).collect::<syn::Result<Vec<_>>>()?;
    if fields.is_empty() {
        return Ok(None);
    }
    let name = &variant.ident;
    let names = fields.iter().map(|field| field.unraw().to_string());
    let values: Vec<_> = (0..fields.len()).map(|i| format_ident!("detail_{i}", span = Span::mixed_site())).collect();
    Ok(Some(quote! {
        #name { #(#fields: #values,)* .. } => failure.with_details(
            ::palitra::__private::Details::default()#(.and(#names, #values))*
        )
    }))
}

fn is_detail(field: &Field) -> bool {
    field.attrs.iter().any(|attribute| attribute.path().is_ident("detail"))
}

fn named(field: &Field) -> syn::Result<&Ident> {
    let nameless = || syn::Error::new_spanned(field, "a detail has a name: write the variant with braces");
    field.ident.as_ref().ok_or_else(nameless)
}
