package testservers

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolderClosedToTheServersUserIsRefused(t *testing.T) {
	user, err := unprivileged()
	if err != nil || user == nil {
		t.Skip("only root runs servers as another user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = makeFolder(filepath.Join(dir, "pg"), "postgres", user)
	if err == nil || !strings.Contains(err.Error(), "cannot enter") {
		t.Fatalf("got %v, want an error that says the folder cannot be entered", err)
	}
}

func TestCloseRemovesOnlyItsOwnFolder(t *testing.T) {
	own, err := makeFolder("", "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	named, err := makeFolder(filepath.Join(t.TempDir(), "y"), "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []folder{own, named} {
		if err := (&Server{folder: f}).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(own.path); !os.IsNotExist(err) {
		t.Errorf("its own folder is still there (%v)", err)
	}
	if _, err := os.Stat(named.path); err != nil {
		t.Errorf("the named folder is gone: %v", err)
	}
}

func TestServerThatDiesAtOnceSaysWhy(t *testing.T) {
	if _, err := FindPostgres(); err != nil {
		t.Skip("SKIPPED: ", err)
	}
	s, err := StartPostgres(context.Background(), "", "no_such_setting = 1")
	if err == nil {
		s.Close()
		t.Fatal("a bad setting was accepted")
	}
	if !strings.Contains(err.Error(), `unrecognized configuration parameter "no_such_setting"`) {
		t.Fatalf("the error does not hold the server's words: %v", err)
	}
}

func TestNewestVersionFirst(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"9", "10", "15"} {
		if err := os.Mkdir(filepath.Join(dir, v), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	found := newestFirst(filepath.Join(dir, "*"))
	if got := filepath.Base(found[0]) + " " + filepath.Base(found[1]) + " " + filepath.Base(found[2]); got != "15 10 9" {
		t.Fatalf("order %s, want 15 10 9", got)
	}
}
