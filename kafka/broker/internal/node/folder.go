package node

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// The folder holds
//
//	lock                        taken by the process that has it
//	meta                        topics, settings, cluster id; see meta.go
//	journal/                    see package commit
//	topics/<name>-<id>/<n>/     the log of partition n
//
// A topic is there when meta says so. Its folders are made before that and removed
// after, so that after a crash there may be folders that meta does not know: they are
// removed when the folder is opened.
const (
	lockFile      = "lock"
	journalFolder = "journal"
	topicsFolder  = "topics"
)

// maxNameInFolder bounds how much of a topic's name is in that of its folder, which may have 255
// bytes. The id alone makes it the topic's.
const maxNameInFolder = 200

func topicFolder(dir, name string, id topicID) string {
	return dir + "/" + topicsFolder + "/" + folderName(name, id)
}

func folderName(name string, id topicID) string {
	return name[:min(len(name), maxNameInFolder)] + "-" + id.String()
}

// ours says whether a folder among the topics' has a name that folderName gives.
func ours(name string) bool {
	at := len(name) - 2*len(topicID{})
	if at < 2 || name[at-1] != '-' {
		return false
	}
	_, err := hex.DecodeString(name[at:])
	return err == nil
}

// removeOrphans removes folders that meta does not know, but none that is not ours.
func removeOrphans(fsys vfs.FS, dir string, m *meta) error {
	names, err := readDir(fsys, dir+"/"+topicsFolder)
	if err != nil {
		return err
	}
	partitions := map[string]int{}
	for _, t := range m.Topics {
		partitions[folderName(t.Name, t.ID)] = t.Partitions
	}
	for _, name := range names {
		count, known := partitions[name]
		if !known && !ours(name) {
			continue
		}
		if err := removeFrom(fsys, dir+"/"+topicsFolder+"/"+name, count, known); err != nil {
			return err
		}
	}
	return nil
}

// removeFrom removes the partitions of a topic from number first on, and the topic's
// folder unless it is to be kept.
func removeFrom(fsys vfs.FS, folder string, first int, keep bool) error {
	names, err := readDir(fsys, folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if n, err := strconv.Atoi(name); err != nil || n < first || strconv.Itoa(n) != name {
			continue
		}
		if err := log.Remove(fsys, folder+"/"+name); err != nil {
			return fmt.Errorf("remove %s/%s, of a topic that is not there: %w", folder, name, err)
		}
	}
	if keep {
		return nil
	}
	if err := fsys.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the folder of a topic that is not there: %w", err)
	}
	return nil
}

// readDir is that of a folder that may be missing.
func readDir(fsys vfs.FS, name string) ([]string, error) {
	names, err := fsys.ReadDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// checkNew refuses a folder that has records though it has no meta file.
func checkNew(fsys vfs.FS, dir string) error {
	names, err := readDir(fsys, dir)
	if err != nil {
		return err
	}
	for _, name := range []string{topicsFolder, journalFolder} {
		inside, err := readDir(fsys, dir+"/"+name)
		if err != nil {
			return err
		}
		if len(inside) > 0 {
			return fmt.Errorf("%s has %s/ and no file %s, without which nobody knows what it holds: restore that from a copy, or choose another folder", dir, name, metaFile)
		}
	}
	if slices.Contains(names, "cluster-id") {
		return fmt.Errorf("%s was written by an older version of this broker, whose files are not read: choose another folder", dir)
	}
	return nil
}
