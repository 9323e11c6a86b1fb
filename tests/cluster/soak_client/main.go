// The clients of soak.py: reads and writes at a fixed rate, by routing tables as drivers do.
//
//	soak_client COUNTS WORKERS KEYS SLOTS ADDRESS...
//
// KEYS nodes (:Counter {key}) with SLOTS events each are there. Every write adds one to a counter and, of three, one replaces what an event says:
// what lives stays as much as it is. (No node or relationship is made: ids are not used again, so a store grows with all that it ever had.) A key is one worker's alone, who knows what was acknowledged, and reads it back, often with the bookmark of its
// last write: then no less may be there. Lines on standard input: "rate N" (operations a second in all, 0: as fast as they go), "stop". Each second
// a line of JSON on standard output. At the end COUNTS is a file of lines "key acknowledged unknown".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	countText   = "MATCH (c:Counter {key: $key}) SET c.n = c.n + 1, c.pad = $pad"
	replaceText = "MATCH (c:Counter {key: $key})-[:HAS]->(e:Event {slot: $slot}) SET c.n = c.n + 1, e = {slot: $slot, text: $pad}"
	readText    = "MATCH (c:Counter {key: $key})-[:HAS]->(e) RETURN c.n, count(e)"
)

var padding = strings.Repeat("what was said about it ", 20)

// What happened in the last second.
type second struct {
	Acknowledged int64    `json:"acknowledged"`
	Unknown      int64    `json:"unknown"`
	Refused      int64    `json:"refused"`
	Reads        int64    `json:"reads"`
	Skipped      int64    `json:"skipped"`
	MedianMs     float64  `json:"median_ms"`
	SlowestMs    float64  `json:"slowest_ms"`
	Wrong        []string `json:"wrong,omitempty"`
	Causes       []string `json:"causes,omitempty"`
}

type load struct {
	router  *router
	slots   int64
	free    atomic.Bool // as fast as they go
	over    atomic.Bool
	tokens  chan struct{}
	mutex   sync.Mutex
	now     second
	timesMs []float64
}

func (l *load) note(do func(s *second)) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	do(&l.now)
}

type worker struct {
	load                  *load
	rng                   *rand.Rand
	first                 int64
	acknowledged, unknown []int64 // by key
	connections           map[string]*connection
	bookmark              string
	pendingKey            int64
}

func (w *worker) work() {
	for !w.load.over.Load() {
		if !w.load.free.Load() {
			if _, open := <-w.load.tokens; !open {
				break
			}
		}
		begin := time.Now()
		key := w.rng.Int63n(int64(len(w.acknowledged)))
		var err error
		if w.rng.Intn(2) == 0 {
			err = w.read(key)
		} else {
			err = w.write(key)
		}
		w.end(begin, err)
	}
	for _, c := range w.connections {
		c.Close()
	}
}

func (w *worker) end(begin time.Time, err error) {
	if err == nil {
		took := float64(time.Since(begin).Microseconds()) / 1000
		w.load.note(func(*second) { w.load.timesMs = append(w.load.timesMs, took) })
		return
	}
	w.load.note(func(s *second) {
		if len(s.Causes) < 3 {
			s.Causes = append(s.Causes, err.Error())
		}
	})
	time.Sleep(100 * time.Millisecond)
}

func (w *worker) connection(address string) (*connection, error) {
	if c := w.connections[address]; c != nil {
		return c, nil
	}
	c, err := dial(address)
	if err == nil {
		w.connections[address] = c
	}
	return c, err
}

func (w *worker) forget(address string) {
	if c := w.connections[address]; c != nil {
		c.Close()
		delete(w.connections, address)
	}
	w.load.router.forget(address)
}

// `sent`: the server may have done it.
func (w *worker) attempt(role, text string, parameters, extra map[string]any) (rows [][]any, bookmark string, sent bool, err error) {
	address, err := w.load.router.choose(role)
	if err != nil {
		return nil, "", false, err
	}
	c, err := w.connection(address)
	if err != nil {
		w.forget(address)
		return nil, "", false, err
	}
	extra["db"] = database
	rows, bookmark, err = c.run(text, parameters, extra)
	f, isFailure := err.(*failure)
	if err != nil && (!isFailure || f.isRouting()) {
		w.forget(address)
	}
	return rows, bookmark, err != nil && (!isFailure || strings.HasPrefix(f.code, "Neo.DatabaseError.")), err
}

func (w *worker) write(key int64) error {
	parameters := map[string]any{"key": w.first + key, "pad": padding[:w.rng.Intn(200)]}
	text := countText
	if w.rng.Intn(3) == 0 {
		text = replaceText
		parameters["slot"] = w.rng.Int63n(w.load.slots)
	}
	_, bookmark, sent, err := w.attempt("WRITE", text, parameters, map[string]any{"mode": "w"})
	switch {
	case err == nil:
		w.acknowledged[key]++
		w.bookmark, w.pendingKey = bookmark, key
		w.load.note(func(s *second) { s.Acknowledged++ })
	case sent:
		w.unknown[key]++
		w.load.note(func(s *second) { s.Unknown++ })
	default:
		w.load.note(func(s *second) { s.Refused++ })
	}
	return err
}

func (w *worker) read(key int64) error {
	extra, least := map[string]any{"mode": "r"}, int64(0)
	if w.bookmark != "" && w.rng.Intn(2) == 0 {
		extra["bookmarks"] = []any{w.bookmark}
		key = w.pendingKey
		least = w.acknowledged[key]
	}
	rows, _, _, err := w.attempt("READ", readText, map[string]any{"key": w.first + key}, extra)
	if err != nil {
		w.load.note(func(s *second) { s.Refused++ })
		return err
	}
	w.load.note(func(s *second) { s.Reads++ })
	var n, events int64 = -1, -1
	if len(rows) == 1 {
		n, _ = rows[0][0].(int64)
		events, _ = rows[0][1].(int64)
	}
	if n < least || n > w.acknowledged[key]+w.unknown[key] || events != w.load.slots {
		wrong := fmt.Sprintf("key %d: read %d with %d events; %d acknowledged, %d unknown, at least %d expected", w.first+key, n, events,
			w.acknowledged[key], w.unknown[key], least)
		w.load.note(func(s *second) { s.Wrong = append(s.Wrong, wrong) })
	}
	return nil
}

// ---- all of them ----

func (l *load) say() {
	l.mutex.Lock()
	s, times := l.now, l.timesMs
	l.now, l.timesMs = second{}, nil
	l.mutex.Unlock()
	sort.Float64s(times)
	if len(times) > 0 {
		s.MedianMs, s.SlowestMs = times[len(times)/2], times[len(times)-1]
	}
	json.NewEncoder(os.Stdout).Encode(s)
}

// What nobody was free to take for a second is skipped: a fixed rate is no debt.
func (l *load) pace(rate *atomic.Int64) {
	owed, last := 0.0, time.Now()
	for range time.Tick(5 * time.Millisecond) {
		if l.over.Load() {
			close(l.tokens)
			return
		}
		now := time.Now()
		owed += now.Sub(last).Seconds() * float64(rate.Load())
		last = now
		for ; owed >= 1; owed-- {
			select {
			case l.tokens <- struct{}{}:
			default:
				l.note(func(s *second) { s.Skipped++ })
			}
		}
	}
}

func (l *load) obey(rate *atomic.Int64) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 2 && words[0] == "rate" {
			n, _ := strconv.ParseInt(words[1], 10, 64)
			rate.Store(n)
			l.free.Store(n == 0)
		} else {
			break
		}
	}
	l.over.Store(true)
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		fmt.Fprintf(os.Stderr, "soak_client: %s is not a number above 0\n", text)
		os.Exit(2)
	}
	return n
}

func save(path string, workers []*worker) error {
	var b strings.Builder
	for _, w := range workers {
		for key := range w.acknowledged {
			fmt.Fprintf(&b, "%d %d %d\n", w.first+int64(key), w.acknowledged[key], w.unknown[key])
		}
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

func main() {
	if len(os.Args) < 6 {
		fmt.Fprintln(os.Stderr, "usage: soak_client COUNTS WORKERS KEYS SLOTS ADDRESS...")
		os.Exit(2)
	}
	count, keys := number(os.Args[2]), number(os.Args[3])
	l := &load{router: &router{seeds: os.Args[5:]}, slots: number(os.Args[4]), tokens: make(chan struct{}, 4*count)}
	var rate atomic.Int64
	rate.Store(1)
	go l.obey(&rate)
	go l.pace(&rate)
	var workers []*worker
	var done sync.WaitGroup
	each := keys / count
	for i := int64(0); i < count; i++ {
		w := &worker{load: l, rng: rand.New(rand.NewSource(i + 1)), first: i * each, acknowledged: make([]int64, each), unknown: make([]int64, each),
			connections: map[string]*connection{}}
		workers = append(workers, w)
		done.Add(1)
		go func() {
			defer done.Done()
			w.work()
		}()
	}
	go func() {
		for range time.Tick(time.Second) {
			l.say()
		}
	}()
	done.Wait()
	l.say()
	if err := save(os.Args[1], workers); err != nil {
		fmt.Fprintln(os.Stderr, "soak_client:", err)
		os.Exit(1)
	}
}
