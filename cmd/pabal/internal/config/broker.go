package config

import (
	"fmt"
	"net"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// Broker is the one in process.
type Broker struct {
	Listen, Advertised string
	// Durability is Auto, Fsync, OS or Memory; Settings.Durability has what Auto is.
	Durability string
	// TLSCert, TLSKey and TLSClientCA are PEM files.
	TLSCert, TLSKey, TLSClientCA string
	// Users is a file with a name and a password a line.
	Users          string
	ACLs           bool
	SuperUsers     []string
	InsecureListen bool
	AutoCreate     bool
	Partitions     int64
	Settings       []string // KEY=VALUE

	MaxRequestBytes, MaxBufferBytes Bytes
	MaxConnections, MaxPartitions   int64
}

// Kinds of durability.
const (
	Fsync  = "fsync"
	OS     = "os"
	Memory = "memory"
)

// Durability is what an acknowledgement of the broker in process means.
func (s *Settings) Durability() string {
	switch {
	case s.Broker.Durability != Auto:
		return s.Broker.Durability
	case s.DataDir == "":
		return Memory
	}
	return Fsync
}

// Properties are Settings by name. A comma within a value is no end of it.
func (b Broker) Properties() (map[string]string, error) {
	all := map[string]string{}
	for _, text := range joined(b.Settings, func(part string) bool { return strings.Contains(part, "=") }) {
		name, value, ok := strings.Cut(text, "=")
		name = strings.TrimSpace(name)
		if _, twice := all[name]; !ok || name == "" || twice {
			return nil, fmt.Errorf("%q is not KEY=VALUE, or is there twice; such as log.retention.ms=86400000", text)
		}
		all[name] = strings.TrimSpace(value)
	}
	return all, nil
}

const principalType = "User:"

// Principals are SuperUsers. A comma within the subject of a certificate is no end of it.
func (b Broker) Principals() ([]string, error) {
	all := joined(b.SuperUsers, func(part string) bool { return strings.HasPrefix(part, principalType) })
	for _, text := range all {
		if !strings.HasPrefix(text, principalType) || text == principalType {
			return nil, fmt.Errorf("%q is no principal, such as User:admin, or User:CN=admin of a certificate", text)
		}
	}
	return all, nil
}

// joined puts parts that begin nothing to the one before.
func joined(parts []string, begins func(string) bool) (all []string) {
	for _, part := range parts {
		if len(all) > 0 && !begins(part) {
			all[len(all)-1] += "," + part
			continue
		}
		all = append(all, part)
	}
	return all
}

// Authenticates says whether clients must show who they are.
func (b Broker) Authenticates() bool { return b.Users != "" || b.TLSClientCA != "" }

// brokerProblems holds the broker to loopback unless clients authenticate and nobody can
// listen, or somebody means it.
func (s *Settings) brokerProblems() (all []problem) {
	b := s.Broker
	add := func(wrong bool, key, text string) {
		if wrong {
			all = append(all, problem{key, text})
		}
	}
	add((b.TLSCert == "") != (b.TLSKey == ""), "broker.tls.cert", "certificate and key (broker.tls.key) belong together")
	add(b.TLSClientCA != "" && b.TLSCert == "", "broker.tls.client-ca", "clients show certificates over TLS only, which needs broker.tls.cert and broker.tls.key")
	add(b.ACLs && !b.Authenticates(), "broker.acls", "access rules are about clients that show who they are: name them in a file with --broker-users, or ask for certificates with --broker-tls-client-ca")
	if _, err := b.Principals(); err != nil {
		add(true, "broker.super-users", err.Error())
	}
	if _, err := b.Properties(); err != nil {
		add(true, "broker.settings", err.Error())
	}
	durability := s.Durability()
	add(durability != Memory && s.DataDir == "", "broker.durability", "without a folder nothing is kept, whatever is asked for: name one with --data-dir")
	add(b.MaxRequestBytes == 0, "broker.max-request-bytes", "it must be above 0")
	add(b.MaxRequestBytes > maxRequest, "broker.max-request-bytes", "it is 1GiB at most")
	add(b.MaxBufferBytes < b.MaxRequestBytes, "broker.max-buffer-bytes", "a request of broker.max-request-bytes must find room in it")
	add(b.MaxConnections == 0, "broker.max-connections", "it must be above 0")
	add(b.Partitions == 0 || b.Partitions > b.MaxPartitions, "broker.partitions", "it is between 1 and broker.max-partitions")
	if b.Advertised != "" {
		host, port, err := net.SplitHostPort(b.Advertised)
		add(err != nil || host == "" || port == "" || port == "0", "broker.advertised", b.Advertised+" is not host:port, such as kafka.internal:9092")
	}
	return append(all, b.reachProblems()...)
}

const maxRequest = 1 << 30

func (b Broker) reachProblems() (all []problem) {
	const key = "broker.listen"
	host, text := address(b.Listen)
	if text != "" {
		return []problem{{key, text}}
	}
	if api.Loopback(host) || b.InsecureListen {
		return nil
	}
	if b.TLSCert == "" {
		all = append(all, problem{key, "others can reach " + b.Listen + ", so it needs TLS: --broker-tls-cert and --broker-tls-key; or --broker-insecure-listen in a network where everybody may read and write everything"})
	}
	if !b.Authenticates() {
		all = append(all, problem{key, "others can reach " + b.Listen + ", so clients must show who they are: name them in a file with --broker-users, or ask for certificates with --broker-tls-client-ca; or --broker-insecure-listen"})
	}
	return all
}
