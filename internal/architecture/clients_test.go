package architecture_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestCommitsOfKafka: transactions are committed by kafka.Commit alone, because franz-go may abort one and
// say that it is committed.
func TestCommitsOfKafka(t *testing.T) {
	found := containing(t, "kgo.TryCommit)\n")
	if len(found) != 1 || found[0] != "kafka/transaction.go" {
		t.Errorf("transactions are committed in %v: use kafka.Commit everywhere", found)
	}
}

// TestMembersOfGroups: they are made by kafka.NewMember, because closing a kgo.Client may wait for minutes.
func TestMembersOfGroups(t *testing.T) {
	all := containing(t, "kgo.ConsumerGroup(")
	bounded := containing(t, "kafka.NewMember(")
	if len(all) == 0 || !slices.Equal(all, bounded) {
		t.Errorf("members of groups are made in %v, by kafka.NewMember in %v", all, bounded)
	}
}

// containing are the source files with that text, sorted.
func containing(t *testing.T, text string) (files []string) {
	t.Helper()
	sources(t, func(root, file string) error {
		data, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(data, []byte(text)) {
			return err
		}
		name, err := filepath.Rel(root, file)
		files = append(files, filepath.ToSlash(name))
		return err
	})
	slices.Sort(files)
	return files
}
