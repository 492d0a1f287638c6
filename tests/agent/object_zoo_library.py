"""The object zoo, second part: iterators and what the standard library makes; rows as in ``object_zoo.py``."""

LIBRARY = r"""
list_iterator = iter([T()])
>> list_iterator: attribute iterable > list
list_reverse = reversed([T()])
>> list_reverse: attribute iterable > list
tuple_iterator = iter((T(),))
>> tuple_iterator: attribute iterable > tuple
set_iterator = iter({T()})
>> set_iterator: attribute iterable > set
dict_keys = {"entry": T()}.keys()
>> dict_keys: attribute mapping > dict
dict_values = {"entry": T()}.values()
>> dict_values: attribute mapping > dict
dict_items = {"entry": T()}.items()
>> dict_items: attribute mapping > dict
dict_keyiterator = iter({"entry": T()})
>> dict_keyiterator: attribute iterable > dict
dict_valueiterator = iter({"entry": T()}.values())
>> dict_valueiterator: attribute iterable > dict
dict_itemiterator = iter({"entry": T()}.items())
>> dict_itemiterator: attribute iterable > dict, attribute result > tuple
odict_iterator = iter(collections.OrderedDict(entry=T()))
>> odict_iterator: attribute iterable > collections.OrderedDict, attribute key > str
odict_items = collections.OrderedDict(entry=T()).items()
>> odict_items: attribute mapping > collections.OrderedDict
class Seq:
    def __getitem__(self, i): return T()
seq_iterator = iter(Seq())
>> seq_iterator: attribute iterable > Seq
callable_iterator = iter(function, T())
>> callable_iterator: attribute callable > function, attribute sentinel > Treasure
enumerate_ = enumerate([T()])
>> enumerate_: attribute iterator > list_iterator, attribute result > tuple
zip_ = zip([T()], (Plain(),))
>> zip_: attribute iterators > tuple, attribute result > tuple
map_ = map(function, [T()])
>> map_: attribute iterators > tuple, attribute function > function
filter_ = filter(function, [T()])
>> filter_: attribute iterator > list_iterator, attribute function > function
class Rev:
    def __len__(self): return 1
    def __getitem__(self, i): return i
reversed_ = reversed(Rev())
>> reversed_: attribute sequence > Rev
slice_ = slice(T(), Plain(), None)
>> slice_: attribute start > Treasure, attribute stop > Plain, attribute step > NoneType
chain = itertools.chain([T()], [Plain()])
>> chain: attribute iterables > tuple_iterator
chain_begun = itertools.chain([1, T()], [Plain()]); next(chain_begun)
>> chain_begun: attribute iterables > tuple_iterator, attribute iterator > list_iterator
count = itertools.count(10**20, 2)
>> count: attribute count > int, attribute step > int
cycle = itertools.cycle([T()]); next(cycle)
>> cycle: attribute iterator > list_iterator, attribute saved > list
repeat = itertools.repeat(T())
>> repeat: attribute object > Treasure
accumulate = itertools.accumulate([T()], function, initial=Plain())
>> accumulate: attribute function > function, attribute iterator > list_iterator, attribute initial > Plain
compress = itertools.compress([T()], [1])
>> compress: attribute data > list_iterator, attribute selectors > list_iterator
dropwhile = itertools.dropwhile(function, [T()])
>> dropwhile: attribute iterator > list_iterator, attribute predicate > function
takewhile = itertools.takewhile(function, [T()])
>> takewhile: attribute iterator > list_iterator, attribute predicate > function
filterfalse = itertools.filterfalse(function, [T()])
>> filterfalse: attribute iterator > list_iterator, attribute function > function
groupby = itertools.groupby([T()], function)
>> groupby: attribute iterator > list_iterator, attribute key > function
groupby_begun = itertools.groupby([T()], operator.attrgetter("__class__")); groupby_group = next(groupby_begun)[1]
>> groupby_begun: attribute iterator > list_iterator, attribute key > operator.attrgetter, attribute target_key >
   type, attribute current_key > type, attribute current_value > Treasure
>> groupby_group: attribute parent > itertools.groupby, attribute target_key > type
islice = itertools.islice([T()], 1)
>> islice: attribute iterator > list_iterator
pairwise = itertools.pairwise([T(), T(), T()]); next(pairwise)
>> pairwise: attribute iterator > list_iterator, attribute last > Treasure, attribute result > tuple (3.13+)
starmap = itertools.starmap(function, [(T(),)])
>> starmap: attribute iterator > list_iterator, attribute function > function
tee = itertools.tee([T()])[0]
>> tee: attribute data > itertools._tee_dataobject
tee_begun, tee_other = itertools.tee([T(), T()]); next(tee_begun)
>> tee_begun: attribute data > itertools._tee_dataobject
>> tee_other.data: attribute iterator > list_iterator, element > Treasure
zip_longest = itertools.zip_longest([T()], [1], fillvalue=Plain())
>> zip_longest: attribute iterators > tuple, attribute result > tuple, attribute fillvalue > Plain
product = itertools.product([T()], [1])
>> product: attribute pools > tuple
permutations = itertools.permutations([T(), 1])
>> permutations: attribute pool > tuple
combinations = itertools.combinations([T(), 1], 1)
>> combinations: attribute pool > tuple
combinations_r = itertools.combinations_with_replacement([T(), 1], 1)
>> combinations_r: attribute pool > tuple
memoryview_ = memoryview(bytearray(9))
>> memoryview_: attribute buffer > managedbuffer
>> memoryview_.buffer: attribute obj > bytearray
generic_alias = list[Treasure]
>> generic_alias: internal __origin__ > type, internal __args__ > tuple
union = Treasure | None
>> union: internal __args__ > tuple
typevar = typing.TypeVar("typevar", bound=Treasure)
>> typevar: attribute __name__ > str (3.11), attribute __covariant__ > bool (3.11), attribute __contravariant__ >
   bool (3.11), attribute __bound__ > type (3.11), attribute __constraints__ > tuple (3.11), attribute __module__ >
   str (3.11), unknown > type (3.12+), internal __dict__ > dict (3.12+), unknown > NoDefaultType (3.13+), ...
paramspec = typing.ParamSpec("paramspec")
>> paramspec: attribute __name__ > str (3.11), attribute __covariant__ > bool (3.11), attribute __contravariant__ >
   bool (3.11), attribute __bound__ > NoneType (3.11), attribute __module__ > str (3.11), internal __bound__ > type
   (3.12+), internal __dict__ > dict (3.12+), unknown > NoDefaultType (3.13+), ...
queue_ = queue.Queue(); queue_.put(T())
>> queue_: attribute maxsize > int, attribute queue > collections.deque, attribute mutex > _thread.lock, attribute
   not_empty > threading.Condition, attribute not_full > threading.Condition, attribute all_tasks_done >
   threading.Condition, attribute unfinished_tasks > int, attribute is_shutdown > bool (3.13+), ...
simple_queue = queue.SimpleQueue(); simple_queue.put(T())
>> simple_queue: element > list (3.12-), element > Treasure (3.13+)
weak_value = weakref.WeakValueDictionary(entry=watched)
>> weak_value: attribute _remove > function, attribute _pending_removals > list, attribute _iterating > set,
   attribute data > dict, ...
>> weak_value.data: value entry > weakref.KeyedRef, key > str
weak_key = weakref.WeakKeyDictionary({watched: T()})
>> weak_key: attribute data > dict, attribute _remove > function, attribute _pending_removals > list, attribute
   _iterating > set, attribute _dirty_len > bool, ...
weak_set = weakref.WeakSet([watched])
>> weak_set: attribute data > set, attribute _remove > function, attribute _pending_removals > list, attribute
   _iterating > set, ...
keyed_ref = next(iter(weak_value.valuerefs()))
>> keyed_ref: attribute key > str, internal __callback__ > function
ordered = collections.OrderedDict(entry=T())
>> ordered: value entry > Treasure, key > str, internal > str
ordered_attr = collections.OrderedDict(entry=T()); ordered_attr.note = Plain()
>> ordered_attr: value entry > Treasure, key > str, internal > str, internal __dict__ > dict
default_dict = collections.defaultdict(function, entry=T())
>> default_dict: value entry > Treasure, key > str, attribute default_factory > function
counter = collections.Counter(["entry"])
>> counter: value entry > int, key > str
chain_map = collections.ChainMap({"entry": T()})
>> chain_map: attribute maps > list, ...
user_dict = collections.UserDict(entry=T())
>> user_dict: attribute data > dict, ...
namespace = types.SimpleNamespace(entry=T())
>> namespace: internal __dict__ > dict
bytesio = io.BytesIO(b"x")
>> bytesio: attribute buffer > bytes (3.12+)
stringio = io.StringIO("x")
>> stringio: unknown > str (3.12+)
buffered = open("/dev/null", "rb")
>> buffered: attribute raw > _io.FileIO, internal __dict__ > dict (3.12), ...
text_io = open("/dev/null", encoding="ascii")
>> text_io: attribute buffer > _io.BufferedReader, attribute encoding > str, unknown >
   _io.IncrementalNewlineDecoder, unknown > str, unknown > _io.FileIO, internal __dict__ > dict, ...
file_io = open("/dev/null", "rb", buffering=0)
>> file_io: internal __dict__ > dict, ...
condition = threading.Condition()
>> condition: attribute _lock > _thread.RLock, attribute acquire > builtin_function_or_method, attribute release >
   builtin_function_or_method, attribute _waiters > collections.deque, attribute _release_save >
   builtin_function_or_method, attribute _acquire_restore > builtin_function_or_method, attribute _is_owned >
   builtin_function_or_method, ...
thread = threading.Thread(target=function, args=(T(),))
>> thread: attribute _target > function, attribute _name > str, attribute _args > tuple, attribute _kwargs > dict,
   attribute _daemonic > bool, attribute _ident > NoneType, attribute _native_id > NoneType, attribute _tstate_lock
   > NoneType (3.12-), attribute _started > threading.Event, attribute _is_stopped > bool (3.12-), attribute
   _initialized > bool, attribute _stderr > _io.TextIOWrapper, attribute _invoke_excepthook > function, attribute
   _handle > _thread._ThreadHandle (3.13+), ...
operator_get = operator.itemgetter(T())
>> operator_get: attribute item > Treasure
operator_attr = operator.attrgetter("a")
>> operator_attr: attribute attr > tuple
operator_method = operator.methodcaller("a", T(), entry=Plain())
>> operator_method: attribute name > str, attribute args > tuple, attribute kwargs > dict
regex = re.compile("a(b)")
>> regex: attribute pattern > str
regex_match = regex.match("ab")
>> regex_match: attribute string > str, attribute re > re.Pattern
code = function.__code__
>> code: internal co_consts > tuple, internal co_names > tuple, internal co_filename > str, internal co_name > str,
   internal co_qualname > str, internal co_linetable > bytes, internal co_exceptiontable > bytes
class Struct(ctypes.Structure): _fields_ = [("x", ctypes.py_object)]
c_struct = Struct(T())
>> c_struct: attribute _objects > dict
c_pointer = ctypes.pointer(ctypes.c_int(5))
>> c_pointer: attribute _objects > dict
c_callback = ctypes.CFUNCTYPE(None)(function)
>> c_callback: unknown > function, unknown > _ctypes.CThunkObject, attribute _objects > dict
exit_stack = contextlib.ExitStack(); exit_stack.callback(function, T())
>> exit_stack: attribute _exit_callbacks > collections.deque, ...
@contextlib.contextmanager
def manage(a): yield a
context_manager = manage(T())
>> context_manager: attribute gen > generator, attribute func > function, attribute args > tuple, attribute kwds >
   dict, attribute __doc__ > str, ...
future_thread = concurrent.futures.Future(); future_thread.set_result(T())
>> future_thread: attribute _condition > threading.Condition, attribute _state > str, attribute _result > Treasure,
   attribute _exception > NoneType, attribute _waiters > list, attribute _done_callbacks > list, ...
loop = asyncio.new_event_loop()
future = loop.create_future(); future.add_done_callback(function)
>> future: attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, attribute _callbacks > function, attribute
   _callbacks > _contextvars.Context, attribute _callbacks > list
future_callbacks = loop.create_future()
future_callbacks.add_done_callback(function); future_callbacks.add_done_callback(lambda_)
>> future_callbacks: attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, attribute _callbacks > function,
   attribute _callbacks > _contextvars.Context, attribute _callbacks > list
future_done = loop.create_future(); future_done.set_result(T())
>> future_done: attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, attribute _result > Treasure
future_failed = loop.create_future(); future_failed.set_exception(Fault(T())); future_failed.exception()
>> future_failed: attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, attribute _exception > Fault
class FutureSub(asyncio.Future): pass
future_attr = FutureSub(loop=loop); future_attr.note = T()
>> future_attr: attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, internal __dict__ > dict
handle = loop.call_soon(function, T())
>> handle: attribute _args > tuple, attribute _callback > function, attribute _cancelled > bool, attribute _context
   > _contextvars.Context, attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, attribute _repr > NoneType,
   attribute _source_traceback > NoneType, ...
timer_handle = loop.call_later(3600, function, T())
>> timer_handle: attribute _scheduled > bool, attribute _when > float, attribute _args > tuple, attribute _callback
   > function, attribute _cancelled > bool, attribute _context > _contextvars.Context, attribute _loop >
   asyncio.unix_events._UnixSelectorEventLoop, attribute _repr > NoneType, attribute _source_traceback > NoneType,
   ...
async def waiting():
    first = T()
    await future
task = loop.create_task(waiting(), name="named")
task.add_done_callback(lambda_)
>> task._coro: local first > Treasure, attribute cr_await > _asyncio.FutureIter, ...
>> task._coro.cr_await: attribute future > _asyncio.Future
>> task: attribute _context > _contextvars.Context, attribute _coro > coroutine, attribute _name > str, attribute
   _fut_waiter > _asyncio.Future, attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, attribute _callbacks
   > function, attribute _callbacks > _contextvars.Context
async def sleeping(): await asyncio.sleep(3600, T())
task_sleeping = loop.create_task(sleeping())
>> task_sleeping: attribute _context > _contextvars.Context, attribute _coro > coroutine, attribute _name > str
   (3.11), attribute _fut_waiter > _asyncio.Future, attribute _loop > asyncio.unix_events._UnixSelectorEventLoop,
   attribute _name > int (3.12+)
loop.call_soon(loop.stop); loop.run_forever()
task_fresh = loop.create_task(sleeping())
>> task_fresh: attribute _context > _contextvars.Context, attribute _coro > coroutine, attribute _name > str (3.11),
   attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, attribute _name > int (3.12+)
async def done(): return T()
task_done = loop.create_task(done())
>> task_done: attribute _context > _contextvars.Context, attribute _coro > coroutine, attribute _name > str (3.11),
   attribute _loop > asyncio.unix_events._UnixSelectorEventLoop, attribute _name > int (3.12+)
async_queue = asyncio.Queue(); async_queue.put_nowait(T())
>> async_queue: attribute _maxsize > int, attribute _getters > collections.deque, attribute _putters >
   collections.deque, attribute _unfinished_tasks > int, attribute _finished > asyncio.locks.Event, attribute _queue
   > collections.deque, attribute _is_shutdown > bool (3.13+), ...
ready_handles = loop._ready
>> ready_handles: index 0 > asyncio.events.Handle, index 1 > asyncio.events.Handle
struct_ = struct.Struct("ii")
>> struct_: attribute format > bytes
connection = sqlite3.connect(":memory:")
>> connection: attribute statement_cache > functools._lru_cache_wrapper, attribute cursors > list, attribute blobs >
   list, attribute row_factory > type, attribute text_factory > type, ...
cursor = connection.cursor(); cursor.row_factory = function
>> cursor: attribute connection > sqlite3.Connection, attribute description > NoneType, attribute lastrowid >
   NoneType, attribute row_factory > function, ...
connection.row_factory = sqlite3.Row
sql_row = connection.execute("select 1 as a").fetchone()
>> sql_row: attribute data > tuple, attribute description > tuple
element = xml.etree.ElementTree.Element("tag", entry="x"); element.append(xml.etree.ElementTree.Element("child"))
>> element: attribute tag > str, attribute text > NoneType, attribute tail > NoneType, element > dict, element >
   xml.etree.ElementTree.Element
csv_reader = csv.reader(["a"])
>> csv_reader: attribute dialect > _csv.Dialect, attribute iterator > list_iterator, attribute fields > list
logger = logging.getLogger("zoo")
>> logger: attribute filters > list, attribute name > str, attribute level > int, attribute parent >
   logging.RootLogger, attribute propagate > bool, attribute handlers > list, attribute disabled > bool, attribute
   _cache > dict, attribute manager > logging.Manager, ...
json_scanner = json.decoder.JSONDecoder().scan_once
>> json_scanner: attribute object_hook > NoneType, attribute object_pairs_hook > NoneType, attribute parse_float >
   type, attribute parse_int > type, attribute parse_constant > builtin_function_or_method, attribute memo > dict
   (3.12-), ...
string_iterator = iter("abc")
>> string_iterator: attribute iterable > str
bytes_iterator = iter(b"abc")
>> bytes_iterator: attribute iterable > bytes
complex_key_dict = {T(): T(), 1: T(), "entry": T(), "not a name!": T(), ("a",): T()}
>> complex_key_dict: key > Treasure, key > int, key > str, key > str, key > tuple, value > Treasure, value >
   Treasure, value > Treasure, value > Treasure, value entry > Treasure
gen_alias_iter = iter(list[int])
>> gen_alias_iter: attribute iterable > types.GenericAlias
class NamespaceSub(types.SimpleNamespace): pass
simple_sub = NamespaceSub(entry=T())
>> simple_sub: internal __dict__ > dict
class PropertySub(property): pass
property_sub = PropertySub(fget); property_sub.note = T()
>> property_sub: attribute fget > function, internal __dict__ > dict
"""
