package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestBashCompletes loads the script and presses Tab.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	script := pabal(t, "completion", "bash").stdout
	for _, tt := range []struct{ line, want string }{
		{"pabal tr", "trace"},
		{"pabal top", "topics"},
		{"pabal topics ", "create list show"},
		{"pabal topics list --out", "--output"},
		{"pabal topics list --output ", "json text"},
		{"pabal topics list --output = j", "json"},
		{"pabal topics --search list --output t", "text"},
		{"pabal user add --role = ", "admin operator viewer"},
		{"pabal completion z", "zsh"},
		{"pabal outbox p", "pause"},
		{"pabal demo --no-c", "--no-console"},
		{"pabal up --kafka-sasl-m", "--kafka-sasl-mechanism"},
		{"pabal journal ", "ddl events ids state types"},
		{"pabal journal ids --kind ", "events states"},
		{"pabal projections rebuild ", "cancel compare start swap"},
		{"pabal sagas ", "counts force list resolve retry show skip"},
		{"pabal sagas list --status ", "COMPENSATED COMPENSATING COMPLETED NEEDS_REVIEW RESOLVED RUNNING all open"},
		{"pabal sagas retry --rea", "--reason"},
		{"pabal streams ", "describe list pause query reset resume"},
		{"pabal streams query --sin", "--since"},
		{"pabal schema ", "check go"},
		{"pabal schema check --level = F", "FORWARD FULL"},
		{"pabal zzz", ""},
	} {
		words := strings.Split(tt.line, " ")
		quoted := "'" + strings.Join(words, "' '") + "'"
		program := script + "\nCOMP_WORDS=(" + quoted + "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _pabal; echo \"${COMPREPLY[@]}\""
		cmd := exec.CommandContext(t.Context(), bash, "--norc", "-u", "-c", program)
		out, err := cmd.CombinedOutput()
		got := strings.Fields(string(out))
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%q: %q, want %q (%v)", tt.line, got, tt.want, err)
		}
	}
}

// TestScriptsKnowEveryCommand, also those for shells that are not here.
func TestScriptsKnowEveryCommand(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		r := pabal(t, "completion", shell)
		if r.code != exitOK {
			t.Fatalf("%+v", r)
		}
		for _, want := range []string{"dead-letters redrive", "outbox resume", "waiting release", "value-file", "console-users"} {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s: nothing about %s", shell, want)
			}
		}
		if strings.Contains(r.stdout, "Run one service of a demo") {
			t.Errorf("%s shows what is hidden", shell)
		}
	}
	refused(t, "must be one of", "completion", "csh")
}
