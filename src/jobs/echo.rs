//! `palitra.echo`: the shortest job there is, for first programs and for measuring the bridge itself.

/// Returns its payload.
#[palitra::job("palitra.echo", inline)]
async fn echo(payload: Vec<u8>) -> Vec<u8> {
    payload
}
