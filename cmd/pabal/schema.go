package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/schemafiles"
	"github.com/pabal-dev/pabal/kafka/registry/generate"
)

type schemaCommand struct {
	Go    schemaGo    `cmd:"" help:"Write Go types for Avro schemas."`
	Check schemaCheck `cmd:"" help:"Tell whether schemas would break others, before they are merged."`
}

type schemaGo struct {
	Files   []string `arg:"" help:"Schemas (.avsc), or folders with them; they may name one another's types." placeholder:"FILE"`
	Package string   `help:"Name of the package; default is that of the folder of --out." placeholder:"NAME"`
	Out     string   `short:"o" help:"Write this file; default is standard output." type:"path" placeholder:"FILE"`
}

// Help is what --help says about the subcommand.
func (schemaGo) Help() string {
	return `Records become structs with the tags of the codec in kafka/registry/codec, enums string types with
constants. The same schemas give the same code. For go generate:

  //go:generate pabal schema go --out events.go schemas`
}

// Run is called by kong.
func (c *schemaGo) Run(s *streams) error {
	if c.Package == "" {
		if c.Out == "" {
			return wrongUse("which package? Name it with --package, or the file with --out")
		}
		c.Package = filepath.Base(filepath.Dir(c.Out))
	}
	found, err := schemafiles.Read(c.Files, ".avsc")
	if err != nil {
		return err
	}
	files := make([]generate.File, len(found))
	for i, f := range found {
		files[i] = generate.File{Name: f.Name, Text: f.Text}
	}
	code, err := generate.Go(files, generate.Config{Package: c.Package})
	if errors.Is(err, generate.ErrConfig) {
		return wrongUse("%w; name another with --package", err)
	}
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = s.out.Write(code)
		return err
	}
	if err := os.WriteFile(c.Out, code, 0o644); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}
