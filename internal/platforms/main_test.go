package main

import (
	"os"
	"strings"
	"testing"
)

// TestCheck: what one platform lacks is told for it, and not for one that has it.
func TestCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod": "module example.org/m\n\ngo 1.26\n",
		"m.go":   "package m\n\nimport \"syscall\"\n\nvar Stop = syscall.SIGSTOP\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if errs := check("linux/arm64"); len(errs) > 0 {
		t.Error(errs)
	}
	if errs := check("windows/amd64"); len(errs) != 1 || !strings.Contains(errs[0].Error(), "m.go:5") || !strings.Contains(errs[0].Error(), "SIGSTOP") {
		t.Errorf("what Windows has not: %v", errs)
	}
	if errs := check("linux"); len(errs) != 1 {
		t.Errorf("no processor: %v", errs)
	}
}
