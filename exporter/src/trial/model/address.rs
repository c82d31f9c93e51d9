//! Addresses of stores, parsed once; nothing of them is shown, for they may hold a password.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::Secret;

/// Why a text is no address that can be used. It does not repeat the text, nor the parser's reason: both may
/// hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address of the store's kind.
    #[error("an address that cannot be used")]
    Syntax,
    /// It demands an encrypted connection.
    #[error("an address that demands an encrypted connection, which is not supported")]
    Tls,
}

/// A PostgreSQL connection string.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress(Box<Config>);

impl PostgresAddress {
    /// Reads a connection string that names at least one host.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let config = Config::from_str(text).map_err(|_| AddressError::Syntax)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(AddressError::Syntax);
        }
        if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
            return Err(AddressError::Tls);
        }
        Ok(Self(Box::new(config)))
    }

    /// Its password.
    pub fn password(&self) -> Option<Secret> {
        let password = self.0.get_password()?;
        Some(Secret::new(String::from_utf8_lossy(password).into_owned()))
    }

    /// Whether its first host is a unix socket.
    pub fn is_socket(&self) -> bool {
        self.0.get_hostaddrs().is_empty() && matches!(self.0.get_hosts().first(), Some(Host::Unix(_)))
    }

    /// How to connect; `application` is the name that the server shows, unless the address has its own.
    pub fn config(&self, application: &str) -> Config {
        let mut config = (*self.0).clone();
        if config.get_application_name().is_none() {
            config.application_name(application);
        }
        config
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A Redis URL.
#[derive(Clone)]
pub struct RedisAddress {
    text: Secret,
    info: Box<ConnectionInfo>,
}

impl RedisAddress {
    /// Reads a URL of a TCP or Unix socket.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let info = text.into_connection_info().map_err(|_| AddressError::Syntax)?;
        match info.addr() {
            ConnectionAddr::Tcp(..) | ConnectionAddr::Unix(_) => {
                Ok(Self { text: Secret::new(text.to_owned()), info: Box::new(info) })
            }
            _ => Err(AddressError::Tls),
        }
    }

    /// Its password.
    pub fn password(&self) -> Option<Secret> {
        self.info.redis_settings().password().map(|password| Secret::new(password.to_owned()))
    }

    /// Whether it is a unix socket.
    pub fn is_socket(&self) -> bool {
        matches!(self.info.addr(), ConnectionAddr::Unix(_))
    }

    /// How to connect.
    pub fn info(&self) -> &ConnectionInfo {
        &self.info
    }
}

impl PartialEq for RedisAddress {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RedisAddress {}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_when_they_are_made() {
        let table = [
            ("postgres://me@db/shop", Ok(())),
            ("host=/run/postgresql user=me", Ok(())),
            ("hostaddr=192.0.2.1 user=me", Ok(())),
            ("user=me", Err(AddressError::Syntax)),
            ("host", Err(AddressError::Syntax)),
            ("host=db sslmode=prefer", Ok(())),
            ("host=db sslmode=require", Err(AddressError::Tls)),
        ];
        for (text, expected) in table {
            assert_eq!(PostgresAddress::parse(text).map(drop), expected, "{text}");
        }
        let table = [
            ("redis://db:6379/2", Ok(())),
            ("redis+unix:///run/redis.sock", Ok(())),
            ("db:6379", Err(AddressError::Syntax)),
        ];
        for (text, expected) in table {
            assert_eq!(RedisAddress::parse(text).map(drop), expected, "{text}");
        }
    }

    #[test]
    fn an_application_name_of_the_addresss_own_stays() {
        let named = |text: &str| {
            let address = PostgresAddress::parse(text).expect("an address");
            address.config("ordeal").get_application_name().map(str::to_owned)
        };
        assert_eq!(named("host=db").as_deref(), Some("ordeal"));
        assert_eq!(named("host=db application_name=mine").as_deref(), Some("mine"));
    }

    #[test]
    fn nothing_of_an_address_is_shown() {
        let postgres = PostgresAddress::parse("postgres://me:hunter2@db/shop").expect("an address");
        let redis = RedisAddress::parse("redis://:hunter2@db").expect("an address");
        assert_eq!(format!("{postgres:?} {redis:?}"), "[redacted] [redacted]");
    }
}
