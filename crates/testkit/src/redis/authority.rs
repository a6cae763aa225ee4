use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// The names that a server of a test is reached by.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// An authority of one folder, and the certificate that it gave to the server there.
#[derive(Debug, Clone)]
pub(super) struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Makes both, unless they are there.
    pub(super) fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let authority = Self::at(folder);
        if !authority.certificate().exists() {
            authority.make().context("cannot make a certificate")?;
        }
        Ok(authority)
    }

    /// The one that was made there before.
    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The certificate of the authority, which clients have to trust.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The lines of `redis.conf` by which a server listens on this port with its certificate.
    pub(super) fn lines(&self, port: u16) -> String {
        let folder = self.folder.display();
        format!(
            "tls-port {port}\ntls-cert-file \"{folder}/server.pem\"\ntls-key-file \"{folder}/server-key.pem\"\n\
             tls-ca-cert-file \"{folder}/authority.pem\"\ntls-auth-clients no\n"
        )
    }

    fn make(&self) -> anyhow::Result<()> {
        let mut parameters = CertificateParams::default();
        // Two that are called the same would be taken for one with a wrong signature.
        parameters.distinguished_name.push(DnType::CommonName, self.folder.display().to_string());
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let own = parameters.self_signed(&key)?;
        let issuer = Issuer::new(parameters, key);
        let key = KeyPair::generate()?;
        let server = CertificateParams::new(NAMES.map(String::from))?.signed_by(&key, &issuer)?;
        std::fs::write(self.folder.join("server.pem"), server.pem())?;
        std::fs::write(self.folder.join("server-key.pem"), key.serialize_pem())?;
        Ok(std::fs::write(self.certificate(), own.pem())?)
    }
}
