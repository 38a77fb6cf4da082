package embedded

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("# people\n\nann:correct: horse \r\n bob :b\n", 0o640)
	got, err := ReadUsers(path)
	if want := map[string]string{"ann": "correct: horse ", "bob": "b"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for text, want := range map[string]string{
		"ann:secret\nann:other\n": `line 2: "ann" is there twice`,
		"ann:secret\nsecret\n":    "line 2 is not NAME:PASSWORD",
		":secret":                 "line 1 is not NAME:PASSWORD",
		"ann:":                    "line 1 is not NAME:PASSWORD",
		"__pabal:secret":          "this program itself",
		"# nobody\n":              "has no user",
		"ann:" + strings.Repeat("secret", maxUsers/6+1): "has more than",
	} {
		write(text, 0o600)
		if _, err := ReadUsers(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.30q: %v, want %q", text, err, want)
		}
	}
	write("ann:secret\n", 0o644)
	if _, err := ReadUsers(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("what others can read: %v", err)
	}
	if _, err := ReadUsers(path + "-none"); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}
