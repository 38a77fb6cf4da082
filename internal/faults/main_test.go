//go:build unix

package faults_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/pabal-dev/pabal/examples/orders"
)

// Children are this test binary, told by the environment what to be.
const (
	envRole     = "PABAL_FAULTS_ROLE"
	envSettings = "PABAL_FAULTS_SETTINGS"
)

const (
	roleService = "service" // one of examples/orders, settings are its arguments
	roleRelay   = "relay"
	roleTeller  = "teller"

	roleProjector = "projector"
	roleClerk     = "clerk"
)

// atOnce is how many tests run at once: two leave a third of two cores idle, as they wait for timeouts.
const atOnce = "3"

func TestMain(m *testing.M) {
	role := os.Getenv(envRole)
	if role == "" {
		_ = flag.Set("test.parallel", atOnce) // the command line, which is read later, may say another
		code := m.Run()
		if full() {
			writeTally(os.Stdout)
		}
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	switch role {
	case roleService:
		var args []string
		settings(&args)
		os.Exit(orders.System().Command(ctx, args[0], args[1:], os.Stdout, os.Stderr))
	case roleRelay:
		var c relaySettings
		settings(&c)
		os.Exit(runRelay(ctx, c))
	case roleTeller:
		var c tellerSettings
		settings(&c)
		os.Exit(runTeller(ctx, c))
	case roleProjector:
		var c projectorSettings
		settings(&c)
		os.Exit(runProjector(ctx, c))
	case roleClerk:
		var c clerkSettings
		settings(&c)
		os.Exit(runClerk(ctx, c))
	case roleAgent:
		var c agentSettings
		settings(&c)
		os.Exit(runAgent(ctx, c))
	case roleCapture:
		var c captureSettings
		settings(&c)
		os.Exit(runCapture(ctx, c))
	}
	fmt.Fprintln(os.Stderr, "no such role:", role)
	os.Exit(2)
}

func settings(into any) {
	if err := json.Unmarshal([]byte(os.Getenv(envSettings)), into); err != nil {
		fmt.Fprintln(os.Stderr, "settings:", err)
		os.Exit(2)
	}
}

// environment of a child.
func environment(role string, settings any) []string {
	text, err := json.Marshal(settings)
	if err != nil {
		panic(err) // a type of this package
	}
	return append(os.Environ(), envRole+"="+role, envSettings+"="+string(text))
}
