// Appends, reads and registers through transaction functions of the official Go driver: history BASE URI. See ../../README.md.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

const (
	lists, registers = 2, 1                  // workers of each kind
	pause            = 40 * time.Millisecond // at most, between two functions
	appendOne        = "MATCH (l:List {key: $key}) SET l.v = l.v + $value RETURN l.v"
	see              = "MATCH (l:List {key: $key}) RETURN l.v"
	set              = "MATCH (r:Register {key: $key}) SET r.v = $value RETURN r.v"
	get              = "MATCH (r:Register {key: $key}) RETURN r.v"
)

type op [3]any

type attempt struct {
	Begin float64 `json:"begin"`
	End   float64 `json:"end"`
	Ops   []op    `json:"ops"`
	Whole bool    `json:"whole"`
}

type problem struct {
	Code   string  `json:"code"`
	Detail string  `json:"detail"`
	AfterS float64 `json:"after_s"`
}

type function struct {
	Kind     string    `json:"kind"`
	After    *string   `json:"after"`
	Bookmark *string   `json:"bookmark"`
	Attempts []attempt `json:"attempts"`
	End      float64   `json:"end"`
	Problem  *problem  `json:"problem"`
}

type body func(tx neo4j.ManagedTransaction, a *attempt) error

var out sync.Mutex

func say(what any) {
	text, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	out.Lock()
	defer out.Unlock()
	fmt.Println(string(text))
}

// The clock that all programs on this machine share; that of package time begins with the process.
func now() float64 {
	const monotonic = 1
	var t syscall.Timespec
	if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&t)), 0); e != 0 {
		panic(e)
	}
	return float64(t.Sec) + float64(t.Nsec)/1e9
}

func place(bookmark string) int64 {
	n, err := strconv.ParseInt(bookmark[strings.LastIndex(bookmark, ":")+1:], 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func codeOf(err error) string {
	var told *neo4j.Neo4jError
	if errors.As(err, &told) {
		return told.Code
	}
	return fmt.Sprintf("%T", err)
}

type round struct {
	ctx              context.Context
	driver           neo4j.DriverWithContext
	values           *atomic.Int64
	number           string
	lists, registers int
	prepared         string
	stopping         atomic.Bool
	workers          sync.WaitGroup
	mutex            sync.Mutex
	shared           string
}

func single(ctx context.Context, tx neo4j.ManagedTransaction, text string, parameters map[string]any) (any, error) {
	result, err := tx.Run(ctx, text, parameters)
	if err != nil {
		return nil, err
	}
	record, err := result.Single(ctx)
	if err != nil {
		return nil, err
	}
	return record.Values[0], nil
}

func (r *round) key(of int) string {
	return fmt.Sprintf("%s-%d", r.number, of)
}

// run does it as the driver does, and tells of each time that it was run. Returns its bookmark.
func (r *round) run(kind string, writes bool, after *string, do body, options ...func(*neo4j.TransactionConfig)) *string {
	f := function{Kind: kind, After: after, Attempts: []attempt{}}
	begin := now()
	work := func(tx neo4j.ManagedTransaction) (any, error) {
		a := attempt{Begin: begin, Ops: []op{}}
		if n := len(f.Attempts); n > 0 {
			a.Begin = f.Attempts[n-1].End
		}
		err := do(tx, &a)
		a.Whole, a.End = err == nil, now()
		f.Attempts = append(f.Attempts, a)
		return nil, err
	}
	config := neo4j.SessionConfig{DatabaseName: "neo4j", AccessMode: neo4j.AccessModeRead}
	if writes {
		config.AccessMode = neo4j.AccessModeWrite
	}
	if after != nil {
		config.Bookmarks = neo4j.BookmarksFromRawValues(*after)
	}
	session := r.driver.NewSession(r.ctx, config)
	defer session.Close(r.ctx)
	execute := session.ExecuteRead
	if writes {
		execute = session.ExecuteWrite
	}
	if _, err := execute(r.ctx, work, options...); err != nil {
		f.Problem = &problem{codeOf(err), err.Error(), now() - begin}
	} else {
		told := neo4j.BookmarksToRawValues(session.LastBookmarks())
		sort.Slice(told, func(i, k int) bool { return place(told[i]) > place(told[k]) })
		f.Bookmark = &told[0]
	}
	f.End = now()
	say(f)
	return f.Bookmark
}

func (r *round) oneOfLists(after string) *string {
	count, writes := 1+rand.Intn(4), rand.Float64() < 0.3
	appends, keys := make([]bool, count), make([]int, count)
	for i := range keys {
		appends[i], keys[i] = rand.Intn(2) == 0, rand.Intn(r.lists)
		writes = writes || appends[i]
	}
	sort.Ints(keys) // in one order, so that nobody waits in a circle
	return r.run("list", writes, &after, func(tx neo4j.ManagedTransaction, a *attempt) error {
		for i, n := range keys {
			key, text, parameters := r.key(n), see, map[string]any{"key": r.key(n)}
			if appends[i] {
				value := r.values.Add(1)
				text, parameters["value"] = appendOne, value
				a.Ops = append(a.Ops, op{"a", key, value})
			}
			seen, err := single(r.ctx, tx, text, parameters)
			if err != nil {
				return err
			}
			a.Ops = append(a.Ops, op{"r", key, seen})
		}
		return nil
	})
}

func (r *round) oneOfRegisters(string) *string {
	key, writes := r.key(rand.Intn(r.registers)), rand.Float64() < 0.3
	r.run("register", writes, nil, func(tx neo4j.ManagedTransaction, a *attempt) error {
		if writes {
			value := r.values.Add(1)
			a.Ops = append(a.Ops, op{"w", key, value})
			_, err := single(r.ctx, tx, set, map[string]any{"key": key, "value": value})
			return err
		}
		seen, err := single(r.ctx, tx, get, map[string]any{"key": key})
		if err == nil {
			a.Ops = append(a.Ops, op{"r", key, seen})
		}
		return err
	}, neo4j.WithTxMetadata(map[string]any{"quiver.consistency": "linearizable"}))
	return nil
}

func (r *round) work(one func(after string) *string) {
	defer r.workers.Done()
	own := r.prepared
	for !r.stopping.Load() {
		r.mutex.Lock()
		shared := r.shared
		r.mutex.Unlock()
		if told := one([]string{own, own, shared, r.prepared}[rand.Intn(4)]); told != nil {
			own = *told
		}
		r.mutex.Lock()
		if place(own) > place(r.shared) {
			r.shared = own
		}
		r.mutex.Unlock()
		time.Sleep(time.Duration(rand.Int63n(int64(pause))))
	}
}

func (r *round) start() {
	for i := 0; i < lists+registers; i++ {
		one := r.oneOfLists
		if i >= lists {
			one = r.oneOfRegisters
		}
		r.workers.Add(1)
		go r.work(one)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	ctx := context.Background()
	driver, err := neo4j.NewDriverWithContext(os.Args[2], neo4j.NoAuth())
	if err != nil {
		panic(err)
	}
	say(map[string]string{"driver": "go 5"})
	var values atomic.Int64
	values.Store(int64(number(os.Args[1])))
	var current *round
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if words[0] == "begin" {
			current = &round{ctx: ctx, driver: driver, values: &values, number: words[1], lists: number(words[2]), registers: number(words[3]),
				prepared: words[4], shared: words[4]}
			current.start()
		} else {
			current.stopping.Store(true)
			current.workers.Wait()
			say(map[string]string{"ended": current.number})
		}
	}
	driver.Close(ctx)
}
