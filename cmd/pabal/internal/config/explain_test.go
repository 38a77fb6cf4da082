package config

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestSecretsAreNotExplained(t *testing.T) {
	l, err := Load(input("kafka: {brokers: \"a:1\", sasl: {mechanism: plain, user: u, password: opensesame}}\nservices: {token: opensesame}\n", nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, e := range l.Explain() {
		if strings.Contains(e.Text, "opensesame") || e.Value == "opensesame" {
			t.Errorf("%s is shown", e.Key)
		}
		if e.Value == hidden {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("%d secrets are said to be set, want 2", seen)
	}
}

// TestEverySettingIsComplete: each has its help, and its value can be read again.
func TestEverySettingIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Table {
		if s.Help == "" || s.Default == "" && s.Example == "" || seen[s.Env()] || seen[s.FlagName()] && s.FlagName() != "" {
			t.Errorf("%s is incomplete or not unique", s.Key)
		}
		seen[s.Env()], seen[s.FlagName()] = true, true
		if s.Secret && s.FlagName() != "" {
			t.Errorf("the secret %s is a flag", s.Key)
		}
		for _, name := range ForeignVariables {
			if s.Env() == name {
				t.Errorf("%s is read by others, too", name)
			}
		}
		if kubernetes.MatchString(s.Env()) {
			t.Errorf("a cluster may set %s", s.Env())
		}
	}
}

// TestExampleIsAFile: uncommented it is read, every setting of it.
func TestExampleIsAFile(t *testing.T) {
	var b bytes.Buffer
	if err := WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(input(b.String(), nil, nil)); err != nil {
		t.Errorf("as it is: %v", err)
	}
	all := regexp.MustCompile(`(?m)^( *)#([a-z-]+: .*)$`).ReplaceAllString(b.String(), "$1$2")
	all = regexp.MustCompile(`(?m)^.*(password|token): .*\n`).ReplaceAllString(all, "") // or the files
	all = strings.ReplaceAll(all, "enabled: false", "enabled: true")
	l, err := Load(input(all, nil, nil))
	if err != nil {
		t.Fatalf("%v\n%s", err, all)
	}
	for _, s := range Table {
		if got := l.Origin(s.Key); got.Kind != File && !s.Secret {
			t.Errorf("%s comes from %v", s.Key, got)
		}
	}
}

func TestFlags(t *testing.T) {
	f := NewFlags()
	var c struct{ kong.Plugins }
	c.Plugins = f.Plugins()
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"--kafka=a:1", "--kafka", "b:2", "--kafka-tls", "--console-allow-plain-http=false", "--console=:1", "--console", "off"}); err != nil {
		t.Fatal(err)
	}
	got := f.Given()
	for name, want := range map[string]string{"kafka": "a:1,b:2", "kafka-tls": "true", "console-allow-plain-http": "false", "console": "off"} {
		if got[name] != want {
			t.Errorf("--%s is %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("%v", got)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"listen", "users", "base-path"}
	for text, want := range map[string]string{"listne": "listen", "user": "users", "basepath": "base-path", "zzz": ""} {
		if got := nearest(text, names); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
