package broker_test

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestDamagedFolder cuts or overwrites each file of a folder in turn. The broker
// starts, or says which folder it cannot read and lets go of it.
func TestDamagedFolder(t *testing.T) {
	random := testenv.Rand(t)
	good := t.TempDir()
	config := broker.Config{Addr: "127.0.0.1:0", DataDir: good}
	first := start(t, config)
	produce(t, first, "t", "a", "b", "c")
	stop(t, first)

	for _, file := range filesOf(t, good) {
		for _, damage := range []func([]byte) []byte{
			func(b []byte) []byte { return b[:len(b)/2] },
			func([]byte) []byte { return nil },
			func(b []byte) []byte {
				for range 1 + len(b)/10 {
					b[random.IntN(len(b))] = byte(random.IntN(256))
				}
				return b
			},
		} {
			config.DataDir, config.Logger = copyOf(t, good), slog.New(slog.DiscardHandler)
			path := filepath.Join(config.DataDir, file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(b) == 0 {
				continue
			}
			if err := os.WriteFile(path, damage(b), 0o644); err != nil {
				t.Fatal(err)
			}
			damaged, err := broker.Start(t.Context(), config)
			if err == nil {
				stop(t, damaged)
			} else if !strings.Contains(err.Error(), config.DataDir) {
				t.Errorf("%s: the error does not name the folder: %v", file, err)
			}
			if err := os.RemoveAll(config.DataDir); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func filesOf(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "lock" {
			path, err = filepath.Rel(dir, path)
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 5 {
		t.Fatalf("the folder has %v, %v", files, err)
	}
	return files
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return out
}
