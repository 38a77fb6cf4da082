package connect

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/config"
)

var secretKeys = config.Definition{Keys: []config.Key{
	{Name: "database.password", Type: config.Password}, {Name: "url", Type: config.String}, {Name: "topic", Type: config.String},
}}

func TestSecretsAreResolved(t *testing.T) {
	t.Setenv("TEST_SECRET", "s3cret")
	dir := t.TempDir()
	path := filepath.Join(dir, "secrets.properties")
	if err := os.WriteFile(path, []byte("user = me\npassword=p=w\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	given := map[string]string{
		"a": "${env:TEST_SECRET}", "b": "x-${env:TEST_SECRET}-y", "c": "${file:" + path + ":password}",
		"d": "${dir:" + dir + ":secrets.properties}", "e": "plain", "f": "${unknown:x}",
	}
	got, err := resolve(given)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "s3cret", "b": "x-s3cret-y", "c": "p=w", "d": "user = me\npassword=p=w", "e": "plain", "f": "${unknown:x}"}
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s is %q, want %q", key, got[key], want[key])
		}
	}
	for _, missing := range []string{"${env:TEST_NO_SUCH}", "${file:" + path + ":none}", "${file:" + path + "}", "${dir:" + dir + ":../none}"} {
		if _, err := resolve(map[string]string{"k": missing}); err == nil || !strings.Contains(err.Error(), "k: "+missing) {
			t.Errorf("%s: %v", missing, err)
		}
	}
	if err := hide(errors.New("login with s3cret failed"), given); err.Error() != "login with ${env:TEST_SECRET} failed" {
		t.Errorf("the error tells: %v", err)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	stored := map[string]string{
		"database.password": "p", "url": "mongodb://u:p@x@host/db?password=q&a=b", "topic": "t", "unlisted.secret": "u", "other": "${env:X}",
	}
	shown := maskedAll(secretKeys, stored)
	want := map[string]string{
		"database.password": mask, "url": "mongodb://u:" + mask + "@host/db?password=" + mask + "&a=b", "topic": "t", "unlisted.secret": mask, "other": "${env:X}",
	}
	for key := range want {
		if shown[key] != want[key] {
			t.Errorf("%s is shown as %q, want %q", key, shown[key], want[key])
		}
	}
	back := unmask(secretKeys, shown, stored)
	for key := range stored {
		if back[key] != stored[key] {
			t.Errorf("%s comes back as %q, was %q", key, back[key], stored[key])
		}
	}
	shown["url"] = strings.Replace(shown["url"], "host", "elsewhere", 1)
	if err := stillMasked(unmask(secretKeys, shown, stored)); !errors.Is(err, ErrInvalid) {
		t.Errorf("a mask is stored as a password: %v", err)
	}
}
