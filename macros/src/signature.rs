//! The signature of a job's function: what it takes and what it returns.
//!
//! Here stands what the types cannot tell, one sentence for each mistake. What they can tell (an argument that no
//! request has, a result that is no reply, a future that stays on its thread) the compiler finds in the lines that
//! `Signature` writes; each bears the place of the type it is about.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, ReturnType, Type};

pub(crate) struct Signature<'a> {
    function: &'a Ident,
    arguments: Vec<&'a Type>,
    result: Option<&'a Type>,
}

impl<'a> Signature<'a> {
    pub(crate) fn read(signature: &'a syn::Signature) -> syn::Result<Self> {
        if signature.asyncness.is_none() {
            return Err(syn::Error::new_spanned(signature.fn_token, "a job is an async function: write `async fn`"));
        }
        if !signature.generics.params.is_empty() {
            let message =
                "a job has no type parameters and no lifetimes: nobody who calls it by its name could say them";
            return Err(syn::Error::new_spanned(&signature.generics, message));
        }
        let result = match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, result) => Some(&**result),
        };
        if let Some(result @ Type::ImplTrait(_)) = result {
            return Err(syn::Error::new_spanned(result, "the result of a job is a type with a name, not `impl`"));
        }
        let arguments = signature.inputs.iter().map(argument).collect::<syn::Result<_>>()?;
        Ok(Signature { function: &signature.ident, arguments, result })
    }

    /// The format of the payload: of the one argument that takes it.
    pub(crate) fn input(&self) -> TokenStream {
        self.only("PAYLOAD", "input_format")
    }

    /// The format of the items: of the one argument that sends them.
    pub(crate) fn items(&self) -> TokenStream {
        self.only("ITEMS", "items_format")
    }

    /// What a function makes of this constant of all arguments. If it panics, that is said at the last of them.
    fn only(&self, constant: &str, function: &str) -> TokenStream {
        let formats = self.arguments.iter().map(|ty| {
            let constant = Ident::new(constant, ty.span());
            quote_spanned!(ty.span()=> <#ty as ::palitra::FromRequest>::#constant)
        });
        let place = self.arguments.last().map_or_else(Span::call_site, |ty| ty.span());
        let function = Ident::new(function, place);
        quote_spanned!(place=> ::palitra::__private::#function(&[#(#formats),*]))
    }

    /// The format of the reply.
    pub(crate) fn output(&self) -> TokenStream {
        let (place, result) = self.result();
        quote_spanned!(place=> <#result as ::palitra::IntoReply>::FORMAT)
    }

    /// A closure that says what only the types know: their schemas, the codes of the error.
    pub(crate) fn describe(&self) -> TokenStream {
        let types = Ident::new("types", Span::mixed_site());
        let arguments = self.arguments.iter().map(|ty| {
            quote_spanned! {ty.span()=>
                #types.argument::<#ty>(
                    (&::palitra::__private::Probe::<#ty>::NEW).schema(::palitra::__private::Contract::Taken)
                );
            }
        });
        let (place, result) = self.result();
        let result = quote_spanned! {place=>
            #types.result::<#result>(
                (&::palitra::__private::Probe::<#result>::NEW).schema(::palitra::__private::Contract::Left),
                (&::palitra::__private::Probe::<#result>::NEW).codes(),
            );
        };
        quote! {
            |#types| {
                use ::palitra::__private::{WithCodes as _, WithSchema as _, WithoutCodes as _, WithoutSchema as _};
                #(#arguments)*
                #result
            }
        }
    }

    /// A closure that takes the arguments from a request and makes the job's future. Its names are its own: whatever
    /// the function is called, they do not hide it.
    pub(crate) fn call(&self) -> TokenStream {
        let request = Ident::new("request", Span::mixed_site());
        let names: Vec<_> =
            (0..self.arguments.len()).map(|i| format_ident!("argument_{i}", span = Span::mixed_site())).collect();
        let arguments = names.iter().zip(&self.arguments);
        // The payload last, so that it is still there if something else is not.
        let others = arguments.clone().map(|(name, ty)| {
            quote_spanned! {ty.span()=>
                let #name = match <#ty as ::palitra::FromRequest>::PAYLOAD {
                    ::core::option::Option::None =>
                        ::core::option::Option::Some(<#ty as ::palitra::FromRequest>::from_request(#request)?),
                    ::core::option::Option::Some(_) => ::core::option::Option::None,
                };
            }
        });
        let payload = arguments.map(|(name, ty)| {
            quote_spanned! {ty.span()=>
                let #name = match #name {
                    ::core::option::Option::Some(argument) => argument,
                    ::core::option::Option::None => <#ty as ::palitra::FromRequest>::from_request(#request)?,
                };
            }
        });
        let function = self.function;
        let (place, result) = self.result();
        // A closure, which fits whatever the result is: only what is in it is wrong where that is no reply.
        let into_reply =
            quote_spanned!(place=> |result: #result| <#result as ::palitra::IntoReply>::into_reply(result));
        let future =
            quote_spanned!(function.span()=> ::palitra::__private::future(#function(#(#names),*), #into_reply));
        quote! {
            |#request| {
                #(#others)*
                #(#payload)*
                ::core::result::Result::Ok(#future)
            }
        }
    }

    fn result(&self) -> (Span, TokenStream) {
        match self.result {
            Some(result) => (result.span(), quote!(#result)),
            None => (self.function.span(), quote!(())),
        }
    }
}

/// The type of an argument.
fn argument(argument: &FnArg) -> syn::Result<&Type> {
    match argument {
        FnArg::Receiver(_) => {
            let message = "a job is no method: it stands outside of `impl`, and shares a value by a `State<T>`";
            Err(syn::Error::new_spanned(argument, message))
        }
        FnArg::Typed(typed) => match &*typed.ty {
            Type::Reference(_) => {
                let message = "a job owns what it takes, as it outlives the call: `String`, `Vec<u8>`, not a reference";
                Err(syn::Error::new_spanned(&typed.ty, message))
            }
            Type::ImplTrait(_) => {
                Err(syn::Error::new_spanned(&typed.ty, "an argument of a job is a type with a name, not `impl`"))
            }
            ty => Ok(ty),
        },
    }
}
