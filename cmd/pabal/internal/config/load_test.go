package config

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/mask"
)

// files is an Input's ReadFile.
func files(all map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		data, ok := all[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(data), nil
	}
}

// input is one with a pabal.yaml.
func input(file string, env []string, flags map[string]string) Input {
	all := map[string]string{}
	if file != "" {
		all[DefaultFile] = file
	}
	return Input{Environ: env, Flags: flags, ReadFile: files(all)}
}

func TestPrecedence(t *testing.T) {
	const file = "data-dir: from-file\nconsole:\n  listen: 127.0.0.1:1\n"
	for _, tt := range []struct {
		name   string
		in     Input
		key    string
		value  string
		origin Origin
	}{
		{"default", input("", nil, nil), "console.listen", "127.0.0.1:8080", Origin{Kind: Default}},
		{"file", input(file, nil, nil), "console.listen", "127.0.0.1:1", Origin{File, "pabal.yaml:3"}},
		{"environment over file", input(file, []string{"PABAL_CONSOLE_LISTEN=127.0.0.1:2"}, nil), "console.listen", "127.0.0.1:2", Origin{Env, "PABAL_CONSOLE_LISTEN"}},
		{"an empty variable is none", input(file, []string{"PABAL_CONSOLE_LISTEN="}, nil), "console.listen", "127.0.0.1:1", Origin{File, "pabal.yaml:3"}},
		{"flag over all", input(file, []string{"PABAL_CONSOLE_LISTEN=127.0.0.1:2"}, map[string]string{"console": "off"}), "console.listen", "off", Origin{Flag, "--console"}},
		{"others stay", input(file, nil, map[string]string{"console": "off"}), "data-dir", "from-file", Origin{File, "pabal.yaml:1"}},
		{"empty in the file is unset", input("console:\nlens:\n  window:\n", nil, nil), "lens.window", "24h", Origin{Kind: Default}},
		{"an empty file", input("# nothing\n", nil, nil), "lens.window", "24h", Origin{Kind: Default}},
		{"list in the file", input("kafka:\n  brokers: [a:1, b:2]\n", nil, nil), "kafka.brokers", "a:1,b:2", Origin{File, "pabal.yaml:2"}},
		{"list as text", input("kafka:\n  brokers: a:1, b:2\n", nil, nil), "kafka.brokers", "a:1,b:2", Origin{File, "pabal.yaml:2"}},
		{"list in the environment", input("", []string{"PABAL_KAFKA_BROKERS=a:1,b:2"}, nil), "kafka.brokers", "a:1,b:2", Origin{Env, "PABAL_KAFKA_BROKERS"}},
		{"a size", input("lens: {max-bytes: 2 GiB}\n", nil, nil), "lens.max-bytes", "2GiB", Origin{File, "pabal.yaml:1"}},
		{"a level in any case", input("", []string{"PABAL_LOG_LEVEL=debug"}, nil), "log.level", "DEBUG", Origin{Env, "PABAL_LOG_LEVEL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := Load(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := find(tt.key)
			if got := s.Text(&l.Settings); got != tt.value {
				t.Errorf("%s is %q, want %q", tt.key, got, tt.value)
			}
			if got := l.Origin(tt.key); got != tt.origin {
				t.Errorf("it comes from %+v, want %+v", got, tt.origin)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   Input
		want string
	}{
		{"unknown key", input("kafka:\n  broker: x\n", nil, nil), "pabal.yaml:2: unknown key kafka.broker; did you mean kafka.brokers?"},
		{"unknown section", input("\nkafak:\n  brokers: x\n", nil, nil), "pabal.yaml:2: unknown key kafak; did you mean kafka?"},
		{"setting in another section", input("users: x\n", nil, nil), "pabal.yaml:1: unknown key users; did you mean broker.users or console.users?"},
		{"nothing like it", input("zebra: x\n", nil, nil), "pabal.yaml:1: unknown key zebra"},
		{"twice", input("data-dir: a\ndata-dir: b\n", nil, nil), "pabal.yaml:2: mapping key \"data-dir\" already defined"},
		{"no YAML", input("kafka: [a\n", nil, nil), "pabal.yaml:1: "},
		{"a tab", input("kafka:\n\tbrokers: x\n", nil, nil), "pabal.yaml:2: "},
		{"two documents", input("data-dir: a\n---\ndata-dir: b\n", nil, nil), "more than one document"},
		{"a list at the top", input("- a\n", nil, nil), "pabal.yaml:1: expected keys"},
		{"a list for a value", input("data-dir: [a, b]\n", nil, nil), "pabal.yaml:1: data-dir: it is one value"},
		{"a mapping for a value", input("data-dir:\n  a: b\n", nil, nil), "data-dir: expected a plain value"},
		{"an alias", input("data-dir: &x a\nkafka: *x\n", nil, nil), "pabal.yaml:2: expected keys of kafka"},
		{"bad boolean", input("kafka:\n  tls:\n    enabled: maybe\n", nil, nil), "pabal.yaml:3: kafka.tls.enabled: it is true or false"},
		{"bad time", input("lens: {window: 5}\n", nil, nil), "lens.window: it is a time such as 30s"},
		{"bad size", input("lens: {max-bytes: 9999999999GiB}\n", nil, nil), "lens.max-bytes: it is no size"},
		{"bad enum", input("log: {format: xml}\n", nil, nil), "log.format: it is one of text, json"},
		{"unknown variable", input("", []string{"PABAL_KAFKA_BROKER=x"}, nil), "unknown variable PABAL_KAFKA_BROKER; did you mean PABAL_KAFKA_BROKERS?"},
		{"bad variable", input("", []string{"PABAL_LENS_MAX_EVENTS=-1"}, nil), "PABAL_LENS_MAX_EVENTS: it is a number from 0 on"},
		{"bad flag", input("", nil, map[string]string{"log-level": "LOUD"}), "--log-level=LOUD: it is one of DEBUG, INFO, WARN, ERROR"},
		{"no such file", Input{File: "x.yaml", ReadFile: files(nil)}, "--config: open x.yaml"},
		{"no such file of the variable", Input{Environ: []string{"PABAL_CONFIG=x.yaml"}, ReadFile: files(nil)}, "PABAL_CONFIG: open x.yaml"},
		{"unknown key of a rule", input("mask:\n  rules:\n    - field: [a]\n", nil, nil), "pabal.yaml:3: unknown key field of a masking rule; did you mean fields?"},
		{"a rule that hides nothing", input("mask:\n  rules:\n    - topics: [a]\n", nil, nil), "pabal.yaml:2: mask.rules: masking rule 1: it hides nothing"},
		{"a role that is none", input("mask:\n  rules: [{keys: true, reveal: boss}]\n", nil, nil), "is no role"},
		{"no broker address", input("", nil, map[string]string{"kafka": "http://x"}), "--kafka: broker \"http://x\" is not host:port"},
		{"broker for others", input("", nil, map[string]string{"broker": "0.0.0.0:9092"}), "--broker: others can reach 0.0.0.0:9092, so it needs TLS"},
		{"broker for others without users", input("broker: {tls: {cert: c, key: k}}\n", nil, map[string]string{"broker": ":9092"}), "so clients must show who they are"},
		{"half a certificate of the broker", input("broker: {tls: {cert: c}}\n", nil, nil), "certificate and key (broker.tls.key) belong together"},
		{"clients' certificates without TLS", input("broker: {tls: {client-ca: c}}\n", nil, nil), "broker.tls.client-ca: clients show certificates over TLS only"},
		{"rules about nobody", input("", nil, map[string]string{"broker-acls": "true"}), "--broker-acls: access rules are about clients that show who they are"},
		{"no principal", input("broker: {users: u, acls: true, super-users: [admin]}\n", nil, nil), "\"admin\" is no principal"},
		{"durable without a folder", input("", nil, map[string]string{"durability": "fsync"}), "--durability: without a folder nothing is kept"},
		{"no durability", input("", nil, map[string]string{"durability": "disk"}), "it is one of auto, fsync, os, memory"},
		{"no setting", input("", nil, map[string]string{"broker-setting": "log.retention.ms"}), "--broker-setting: \"log.retention.ms\" is not KEY=VALUE"},
		{"a setting twice", input("broker: {settings: [a=1, a=2]}\n", nil, nil), "is there twice"},
		{"advertised without a port", input("", nil, map[string]string{"broker-advertised": "kafka.internal"}), "--broker-advertised: kafka.internal is not host:port"},
		{"no room for a request", input("broker: {max-buffer-bytes: 1MiB}\n", nil, nil), "must find room in it"},
		{"no requests", input("broker: {max-request-bytes: 0}\n", nil, nil), "broker.max-request-bytes: it must be above 0"},
		{"no partitions", input("broker: {partitions: 0}\n", nil, nil), "between 1 and broker.max-partitions"},
		{"no connections", input("broker: {max-connections: 0}\n", nil, nil), "broker.max-connections: it must be above 0"},
		{"console for others", input("", nil, map[string]string{"console": "0.0.0.0:8080"}), "--console: others can reach 0.0.0.0:8080, so people must log in"},
		{"console for others without TLS", input("console: {users: u}\n", nil, map[string]string{"console": ":8080"}), "so it needs TLS"},
		{"console port", input("", nil, map[string]string{"console": "127.0.0.1:99999"}), "the port 99999 is not between"},
		{"half a certificate", input("console: {tls: {cert: c}}\n", nil, nil), "certificate and key (console.tls.key) belong together"},
		{"user without mechanism", input("kafka: {brokers: \"a:1\", sasl: {user: u}}\n", nil, nil), "--kafka-sasl-mechanism: user and password need it"},
		{"two passwords", input("kafka: {brokers: \"a:1\", sasl: {mechanism: plain, user: u, password: p, password-file: f}}\n", nil, nil), "one of them is enough"},
		{"TLS to the broker in process", input("kafka: {tls: {enabled: true}}\n", nil, nil), "those of the one in this process are broker.tls.cert and broker.users"},
		{"base path", input("", nil, map[string]string{"console-base-path": "pabal/"}), "it begins with a slash"},
		{"collector", input("otel: {endpoint: there}\n", nil, nil), "it is no URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.in)
			if !errors.Is(err, ErrWrong) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\ndoes not say %q", err, tt.want)
			}
		})
	}
}

// TestAllErrorsAtOnce: nobody mends a file one error at a time.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := Load(input("data-dri: x\nlens:\n  windwo: 1h\n", []string{"PABAL_LOG_FORMAT=xml"}, map[string]string{"lens-window": "x"}))
	for _, want := range []string{"pabal.yaml:1:", "pabal.yaml:3:", "PABAL_LOG_FORMAT", "--lens-window=x"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
}

func TestWhatIsAllowed(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   Input
	}{
		{"public with users and TLS", input("console: {listen: \":8443\", users: u, tls: {cert: c, key: k}}\n", nil, nil)},
		{"public behind a proxy", input("console: {listen: \":8080\", users: u, allow-plain-http: true}\n", nil, nil)},
		{"other loopbacks", input("console: {listen: \"[::1]:8080\"}\nbroker: {listen: localhost:0}\n", nil, nil)},
		{"a broker for others", input("broker: {listen: \":9092\", users: u, tls: {cert: c, key: k}}\n", nil, nil)},
		{"a broker for clients with certificates", input("broker: {listen: \":9092\", acls: true, super-users: [\"User:CN=a,O=b\"], tls: {cert: c, key: k, client-ca: a}}\n", nil, nil)},
		{"a broker for everybody", input("", nil, map[string]string{"broker": "0.0.0.0:9092", "broker-insecure-listen": "true"})},
		{"variables of Kubernetes", input("", []string{"PABAL_SERVICE_HOST=10.0.0.1", "PABAL_PORT=tcp://10.0.0.1:80", "PABAL_CONSOLE_PORT_8080_TCP_ADDR=10.0.0.1", "PABAL_CONSOLE_SERVICE_PORT_HTTP=80"}, nil)},
		{"variables of the client commands", input("", []string{"PABAL_SERVER=http://x", "PABAL_TOKEN=t", "PABAL_TEST_KAFKA=x"}, nil)},
	} {
		if _, err := Load(tt.in); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestRules(t *testing.T) {
	want := []mask.Rule{{Topics: []string{"pay*"}, Fields: []string{"card.number"}, Reveal: "admin"}, {Headers: []string{"x"}, Keys: true}}
	equal := func(a, b mask.Rule) bool {
		return slices.Equal(a.Topics, b.Topics) && slices.Equal(a.Fields, b.Fields) && slices.Equal(a.Headers, b.Headers) && a.Keys == b.Keys && a.Reveal == b.Reveal
	}
	const file = "mask:\n  rules:\n    - topics: pay*\n      fields: [card.number]\n      reveal: admin\n    - headers: [x]\n      keys: true\n"
	const env = `PABAL_MASK_RULES=[{"topics":["pay*"],"fields":["card.number"],"reveal":"admin"},{"headers":["x"],"keys":true}]`
	const lines = "PABAL_MASK_RULES=- topics: [pay*]\n  fields: [card.number]\n  reveal: admin\n- headers: [x]\n  keys: true"
	for _, in := range []Input{input(file, nil, nil), input("", []string{env}, nil), input("", []string{lines}, nil)} {
		l, err := Load(in)
		if err != nil {
			t.Error(err)
		} else if !slices.EqualFunc(l.Mask.Rules, want, equal) {
			t.Errorf("%+v", l.Mask.Rules)
		}
	}
}

func TestWhichFile(t *testing.T) {
	read := files(map[string]string{"a.yaml": "lens: {window: 1h}", "b.yaml": "lens: {window: 2h}", DefaultFile: "lens: {window: 3h}"})
	for _, tt := range []struct {
		in   Input
		want time.Duration
		from string
	}{
		{Input{File: "a.yaml", Environ: []string{"PABAL_CONFIG=b.yaml"}}, time.Hour, "--config"},
		{Input{Environ: []string{"PABAL_CONFIG=b.yaml"}}, 2 * time.Hour, "PABAL_CONFIG"},
		{Input{}, 3 * time.Hour, "found in this folder"},
	} {
		tt.in.ReadFile = read
		l, err := Load(tt.in)
		if err != nil || l.Lens.Window != tt.want || l.FileFrom != tt.from {
			t.Errorf("%+v: %v %+v", tt, err, l)
		}
	}
}
