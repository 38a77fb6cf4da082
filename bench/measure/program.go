package measure

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Build compiles the program pabal as it is shipped.
func Build(ctx context.Context, program string) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/pabal-dev/pabal").Output()
	if err != nil {
		return fmt.Errorf("look for the module of pabal: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-C", strings.TrimSpace(string(root)), "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/pabal")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build pabal: %w: %s", err, out)
	}
	return nil
}
