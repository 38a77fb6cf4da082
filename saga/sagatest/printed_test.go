package sagatest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/saga/sagatest"
)

// failing is a test that may fail without failing the one around it.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}

func (f *failing) Name() string { return "TestShop/dedupe" }

func (f *failing) Fatal(a ...any) { f.Fatalf("%s", fmt.Sprint(a...)) }

func (f *failing) Fatalf(format string, a ...any) {
	f.said = fmt.Sprintf(format, a...)
	runtime.Goexit()
}

// inFailing runs a test that should fail and returns what it says.
func inFailing(t *testing.T, test func(t testing.TB)) string {
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	if f.said == "" {
		t.Fatal("the test should have failed")
	}
	return f.said
}

const printedTest = "TestShop_dedupe_Schedule"

// TestThePrintedTestIsOneThatFails compiles and runs what Check prints, with the go
// tool, in this very package: it fails as the exploration did. With the mistake taken
// out of the model it passes.
func TestThePrintedTestIsOneThatFails(t *testing.T) {
	said := inFailing(t, func(t testing.TB) {
		sagatest.Check(t, orders(flaws{chargesAgain: true}))
	})
	_, printed, ok := strings.Cut(said, "This test repeats it:\n\n")
	if !ok || !strings.Contains(printed, "func "+printedTest+"(t *testing.T)") || !strings.Contains(printed, "orders(flaws{chargesAgain: true})") {
		t.Fatalf("no test was printed:\n%s", said)
	}
	if out, err := runPrinted(t, printed, ""); err == nil || !strings.Contains(out, "charged 200 for an order over 100") || !strings.Contains(out, "--- FAIL: "+printedTest) {
		t.Errorf("the printed test should fail as the exploration did: %v\n%s\n%s", err, out, printed)
	}
	model, err := os.ReadFile("orders_test.go")
	if err != nil {
		t.Fatal(err)
	}
	fixed := strings.Replace(string(model), "!f.chargesAgain", "true", 1)
	if fixed == string(model) {
		t.Fatal("the planted mistake is not where this test looks for it")
	}
	if out, err := runPrinted(t, printed, fixed); err != nil || !strings.Contains(out, "--- PASS: "+printedTest) {
		t.Errorf("without the mistake it should pass: %v\n%s", err, out)
	}
}

// runPrinted runs the printed test as a file of this package, and another model in the
// place of the one that is here.
func runPrinted(t *testing.T, printed, model string) (string, error) {
	t.Helper()
	folder := t.TempDir()
	replace := map[string]string{}
	add := func(name, content string) {
		here, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		replace[here] = filepath.Join(folder, name)
		write(t, replace[here], content)
	}
	add("found_test.go", printed)
	if model != "" {
		add("orders_test.go", model)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "overlay.json"), string(overlay))
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), goTool, "test", "-v", "-count=1", "-vet=off",
		"-overlay", filepath.Join(folder, "overlay.json"), "-run", "^"+printedTest+"$", ".")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
