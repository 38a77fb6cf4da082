package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestDeployedConfigurationsAreRead: the configurations in deploy/ have no key that is
// unknown and no value that is refused.
func TestDeployedConfigurationsAreRead(t *testing.T) {
	for name, text := range map[string]string{
		"pabal.yaml":            deployed(t, "pabal.yaml"),
		"kubernetes/pabal.yaml": configMap(t, deployed(t, "kubernetes/pabal.yaml")),
	} {
		path := filepath.Join(t.TempDir(), "pabal.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run(context.Background(), []string{"config", "explain", "--config", path}, nil, &out, &errs); code != exitOK {
			t.Errorf("%s: exit %d: %s", name, code, errs.String())
		}
		if !strings.Contains(out.String(), path) {
			t.Errorf("%s: no setting comes from the file:\n%s", name, out.String())
		}
	}
}

func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// configMap is the configuration inside a manifest.
func configMap(t *testing.T, manifest string) string {
	t.Helper()
	first, _, _ := strings.Cut(manifest, "\n---\n")
	var m struct {
		Kind string
		Data map[string]string
	}
	if err := yaml.Unmarshal([]byte(first), &m); err != nil || m.Kind != "ConfigMap" {
		t.Fatalf("the first manifest is a %q, want the ConfigMap: %v", m.Kind, err)
	}
	return m.Data["pabal.yaml"]
}
