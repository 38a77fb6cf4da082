package debezium

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
)

// mapperKeys are the options whose names carry a value, in the order in which their rules apply.
var mapperKeys = []struct {
	name *regexp.Regexp
	make func(parts []string) (mapper, error)
}{
	{regexp.MustCompile(`^column\.truncate\.to\.(\d+)\.chars$`), func(parts []string) (mapper, error) {
		n, err := strconv.Atoi(parts[1])
		return truncate(n), err
	}},
	{regexp.MustCompile(`^column\.mask\.with\.(\d+)\.chars$`), func(parts []string) (mapper, error) {
		n, err := strconv.Atoi(parts[1])
		if n > maxMask {
			return nil, fmt.Errorf("a mask has at most %d characters", maxMask)
		}
		return mask(strings.Repeat("*", n)), err
	}},
	{regexp.MustCompile(`^column\.propagate\.source\.type$`), func([]string) (mapper, error) { return propagate{}, nil }},
	{regexp.MustCompile(`^datatype\.propagate\.source\.type$`), func([]string) (mapper, error) { return propagate{}, nil }},
	{regexp.MustCompile(`^column\.mask\.hash\.([^.]+)\.with\.salt\.(.+)$`), func(parts []string) (mapper, error) {
		return newHashed(parts[1], parts[2], true)
	}},
	{regexp.MustCompile(`^column\.mask\.hash\.v2\.([^.]+)\.with\.salt\.(.+)$`), func(parts []string) (mapper, error) {
		return newHashed(parts[1], parts[2], false)
	}},
}

// maxMask bounds what a configuration can make of each value.
const maxMask = 1 << 16

// readMappers of a whole configuration, with a problem for each option that is wrong.
func readMappers(given map[string]string) (mappers, []config.Problem) {
	var all mappers
	var problems []config.Problem
	names := slices.Sorted(maps.Keys(given))
	for _, kind := range mapperKeys {
		for _, name := range names {
			parts := kind.name.FindStringSubmatch(name)
			if parts == nil {
				continue
			}
			matcher, err := ParseMatcher(given[name])
			var m mapper
			if err == nil {
				m, err = kind.make(parts)
			}
			if err != nil {
				problems = append(problems, config.Problem{Key: name, Message: err.Error()})
				continue
			}
			all = append(all, rule{matcher, strings.HasPrefix(name, "datatype."), m})
		}
	}
	return all, problems
}
