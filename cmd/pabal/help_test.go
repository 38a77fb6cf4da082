package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/help.txt anew")

// TestHelp holds what every command says of itself.
func TestHelp(t *testing.T) {
	parser, err := newParser(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	var walk func(n *kong.Node, args []string)
	walk = func(n *kong.Node, args []string) {
		r := pabal(t, append(args, "--help")...)
		if r.code != exitOK || r.stderr != "" {
			t.Errorf("%v: %+v", args, r)
		}
		all.WriteString("$ pabal " + strings.Join(append(args, "--help"), " ") + "\n" + r.stdout + "\n")
		for _, child := range n.Children {
			if !child.Hidden {
				walk(child, append(args[:len(args):len(args)], child.Name))
			}
		}
	}
	walk(parser.Model.Node, nil)
	golden := filepath.Join("testdata", "help.txt")
	if *rewrite {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := all.String(); got != string(want) {
		t.Errorf("help is not that of %s (go test ./cmd/pabal -run TestHelp -rewrite writes it anew); it is now\n%s", golden, got)
	}
}
