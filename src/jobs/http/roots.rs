//! Whom to trust: the certificates that the system trusts, read when the first TLS connection needs them.
//!
//! Reading them takes up to 20 ms and fails on a machine that has none. A runner that only speaks plain HTTP
//! should notice neither.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;

use super::background;
use super::settings::Identity;

/// The system's certificates, once they are needed.
#[derive(Debug)]
pub(super) struct SystemRoots {
    provider: Arc<CryptoProvider>,
    verifier: OnceLock<Result<Verifier, Error>>,
    read_ahead: OnceCell<()>,
}

impl SystemRoots {
    pub(super) fn new() -> Arc<SystemRoots> {
        Arc::new(SystemRoots {
            // Ours alone: the process-wide default belongs to the host.
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            verifier: OnceLock::new(),
            read_ahead: OnceCell::new(),
        })
    }

    /// A TLS configuration that trusts these roots, or whom `verifier` trusts.
    pub(super) fn client_config(
        self: &Arc<SystemRoots>,
        verifier: Option<Arc<dyn ServerCertVerifier>>,
        identity: Option<Identity>,
    ) -> Result<ClientConfig, Error> {
        let versions =
            ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions()?;
        let verifier = verifier.unwrap_or_else(|| Arc::clone(self) as _);
        let trusting = versions.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            Some(Identity { chain, key }) => trusting.with_client_auth_cert(chain, key)?,
            None => trusting.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    pub(super) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    /// Reads the certificates on a thread of its own, so that the runner's need not stand still for it.
    pub(super) async fn read_ahead(self: &Arc<SystemRoots>) {
        let read = || async {
            let roots = Arc::clone(self);
            // Should this fail, the handshake reads them itself and reports what it finds.
            if let Ok(read) = background::spawn(move || roots.verifier().is_ok()) {
                let _ = read.await;
            }
        };
        self.read_ahead.get_or_init(read).await;
    }

    fn verifier(&self) -> Result<&Verifier, Error> {
        self.verifier.get_or_init(|| Verifier::new(Arc::clone(&self.provider))).as_ref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for SystemRoots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
