package main

import (
	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/completion"
)

// Help is what --help says about the subcommand.
func (completionCommand) Help() string {
	return `Load it in your shell's start-up file:
  bash: source <(pabal completion bash)
  zsh:  source <(pabal completion zsh)
  fish: pabal completion fish | source`
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run is called by kong.
func (c *completionCommand) Run(s *streams, parser *kong.Kong) error {
	return completion.Write(s.out, c.Shell, parser.Model)
}
