package up

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/console/auth"
)

// files are what settings that name a file stand for.
type files struct {
	kafkaTLS, consoleTLS         *tls.Config
	brokerTLS                    *tls.Config
	brokerUsers                  map[string]string // passwords by name
	kafkaPassword, servicesToken string
	registryPassword             string
	users                        *auth.Users
}

// readFiles reads them; an error names the setting.
func readFiles(c *config.Settings) (f files, err error) {
	if f.kafkaTLS, err = kafkaTLS(c.Kafka.TLS); err != nil {
		return f, err
	}
	if f.consoleTLS, err = certificate("console.tls", c.Console.TLSCert, c.Console.TLSKey); err != nil {
		return f, err
	}
	if err = f.readBrokerFiles(c); err != nil {
		return f, err
	}
	if f.kafkaPassword, err = secret("kafka.sasl.password-file", c.Kafka.SASL.Password, c.Kafka.SASL.PasswordFile); err != nil {
		return f, err
	}
	if f.registryPassword, err = secret("registry.password-file", c.Registry.Password, c.Registry.PasswordFile); err != nil {
		return f, err
	}
	if f.servicesToken, err = secret("services.token-file", c.Services.Token, c.Services.TokenFile); err != nil {
		return f, err
	}
	if c.Console.Users != "" && (c.Console.Listen != config.Off || c.Connect.Listen != config.Off || c.Registry.Listen != config.Off) {
		if f.users, err = auth.Load(c.Console.Users); err != nil {
			return f, fmt.Errorf("console.users: %w", err)
		}
	}
	return f, nil
}

func kafkaTLS(c config.KafkaTLS) (*tls.Config, error) {
	if c == (config.KafkaTLS{}) {
		return nil, nil
	}
	t, err := certificate("kafka.tls", c.Cert, c.Key)
	if err != nil {
		return nil, err
	}
	if t == nil {
		t = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.CA != "" {
		if t.RootCAs, err = Authorities(c.CA); err != nil {
			return nil, fmt.Errorf("kafka.tls.ca: %w", err)
		}
	}
	return t, nil
}

// Authorities reads certificate authorities from a PEM file.
func Authorities(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s has no certificate (PEM)", path)
	}
	return pool, nil
}

// certificate is nil where none is named.
func certificate(setting, cert, key string) (*tls.Config, error) {
	if cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// secret is a value, or the first line of a file.
func secret(setting, value, path string) (string, error) {
	if path == "" {
		return value, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", setting, err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("%s: the first line of %s is empty", setting, path)
	}
	return line, nil
}
