package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/kafka"
)

// problem is what is wrong with a setting.
type problem struct{ key, text string }

// problems are values that cannot work, alone or together.
func (s *Settings) problems() (all []problem) {
	add := func(wrong bool, key, text string) {
		if wrong {
			all = append(all, problem{key, text})
		}
	}
	if len(s.Kafka.Brokers) > 0 {
		if err := (kafka.Config{Brokers: s.Kafka.Brokers}).Validate(); err != nil {
			add(true, "kafka.brokers", plain(err))
		}
	}
	if s.Kafka.Prefix != "" {
		add(kafka.CheckTopicName(s.Kafka.Prefix) != nil, "kafka.prefix", "it is no beginning of a topic's name: letters, digits, dots, dashes and underscores")
	}
	add((s.Kafka.TLS.Cert == "") != (s.Kafka.TLS.Key == ""), "kafka.tls.cert", "certificate and key (kafka.tls.key) belong together")
	sasl := s.Kafka.SASL
	add(sasl.Password != "" && sasl.PasswordFile != "", "kafka.sasl.password-file", "the password is given, too; one of them is enough")
	add(sasl.Mechanism == "" && (sasl.User != "" || sasl.Password != "" || sasl.PasswordFile != ""), "kafka.sasl.mechanism", "user and password need it: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	add(sasl.Mechanism != "" && (sasl.User == "" || sasl.Password == "" && sasl.PasswordFile == ""), "kafka.sasl.mechanism", "it needs kafka.sasl.user and kafka.sasl.password-file")
	add(len(s.Kafka.Brokers) == 0 && (sasl.Mechanism != "" || s.Kafka.TLS != KafkaTLS{}), "kafka.brokers", "TLS and SASL of kafka.* are for brokers that are given; those of the one in this process are broker.tls.cert and broker.users")
	all = append(all, s.brokerProblems()...)
	all = append(all, s.reachProblems("connect.listen", s.Connect.Listen)...)
	all = append(all, s.reachProblems("registry.listen", s.Registry.Listen)...)
	add(s.Registry.Password != "" && s.Registry.PasswordFile != "", "registry.password-file", "the password is given, too; one of them is enough")
	add((s.Registry.User != "") != (s.Registry.Password != "" || s.Registry.PasswordFile != ""), "registry.user", "user and password (registry.password-file) belong together")
	if s.Registry.URL != "" {
		u, err := url.Parse(s.Registry.URL)
		add(err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https", "registry.url", "it is no URL such as http://registry.internal:8081; user and password are registry.user and registry.password-file")
	}
	add(s.Registry.URL == "" && s.Registry.User != "", "registry.user", "it is for a registry that is given (registry.url)")
	add(s.Services.Token != "" && s.Services.TokenFile != "", "services.token-file", "the token is given, too; one of them is enough")
	if _, err := mask.New(s.Mask.Rules, s.Kafka.Prefix); err != nil {
		add(true, rulesKey, err.Error())
	}
	add(s.Lens.Window == 0, "lens.window", "it must be above 0")
	add(s.Lens.MaxEvents == 0, "lens.max-events", "it must be above 0")
	add(s.Lens.MaxBytes == 0, "lens.max-bytes", "it must be above 0")
	if s.OTel.Endpoint != "" {
		u, err := url.Parse(s.OTel.Endpoint)
		add(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https", "otel.endpoint", "it is no URL such as http://127.0.0.1:4318")
	}
	return append(all, s.consoleProblems()...)
}

func plain(err error) string {
	return strings.TrimPrefix(err.Error(), kafka.ErrConfig.Error()+": ")
}

// consoleProblems holds the console to loopback unless people log in and nobody can
// listen.
func (s *Settings) consoleProblems() (all []problem) {
	c := s.Console
	if c.Listen == Off {
		return nil
	}
	add := func(wrong bool, key, text string) {
		if wrong {
			all = append(all, problem{key, text})
		}
	}
	host, text := address(c.Listen)
	if text != "" {
		add(true, "console.listen", text+", or off")
		return all
	}
	add((c.TLSCert == "") != (c.TLSKey == ""), "console.tls.cert", "certificate and key (console.tls.key) belong together")
	add(c.BasePath != "" && (!strings.HasPrefix(c.BasePath, "/") || strings.HasSuffix(c.BasePath, "/") || strings.ContainsAny(c.BasePath, "?#%{} ") || strings.Contains(c.BasePath, "//")),
		"console.base-path", "it begins with a slash and ends with none, such as /pabal")
	if api.Loopback(host) {
		return all
	}
	add(c.Users == "", "console.listen", "others can reach "+c.Listen+", so people must log in: make a file with `pabal user add NAME --file FILE --role admin` and name it with --console-users; or stay on 127.0.0.1")
	add(c.TLSCert == "" && !c.AllowPlainHTTP, "console.listen", "others can reach "+c.Listen+", so it needs TLS: --console-tls-cert and --console-tls-key; or --console-allow-plain-http where a proxy in front has it")
	return all
}

// reachProblems holds an API to loopback unless people give a token or password, and nobody can
// listen.
func (s *Settings) reachProblems(key, listen string) (all []problem) {
	if listen == Off || listen == Auto {
		return nil
	}
	host, text := address(listen)
	if text != "" {
		return []problem{{key, text + ", or off"}}
	}
	if api.Loopback(host) {
		return nil
	}
	c := s.Console
	if c.Users == "" {
		all = append(all, problem{key, "others can reach " + listen + ", so they need a token or a password: make a file with `pabal user token NAME --role admin --file FILE` and name it with --console-users; or stay on 127.0.0.1"})
	}
	if c.TLSCert == "" && !c.AllowPlainHTTP {
		all = append(all, problem{key, "others can reach " + listen + ", so it needs TLS: --console-tls-cert and --console-tls-key; or --console-allow-plain-http where a proxy in front has it"})
	}
	return all
}

// address splits host:port and says in words what is wrong with it.
func address(text string) (host, wrong string) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", text + " is not host:port, such as 127.0.0.1:8080"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", "the port " + port + " is not between 1 and 65535 (0 takes any free one)"
	}
	return host, ""
}
