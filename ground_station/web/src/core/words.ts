import type { AlertView, NodeView, SensorView, SessionView } from "../api-types";

export type Language = "vi" | "en";
export type Outcome = NonNullable<AlertView["outcome"]>;

/** Everything the page says, once per language; a test holds the two to the same keys. */
export interface Words {
  title: string;
  otherLanguage: string;
  simulated: string;
  login: { title: string; user: string; password: string; enter: string; link: string; linkFailed: string; wrong: string };
  logout: string;
  map: string;
  alerts: string;
  openAlerts: string;
  closedAlerts: string;
  none: string;
  search: string;
  searchPlaces: string;
  onWatch: string;
  nobodyOnWatch: string;
  loading: string;
  quiet: string;
  quietFaults: string;
  cameras(alive: number, total: number): string;
  lastWord(age: string): string;
  noWord: string;
  connecting: string;
  stationLost(since: string, age: string): string;
  stationLostHint: string;
  brokerLost: string;
  soundLocked: string;
  soundLockedHint: string;
  soundOn: string;
  soundOff: string;
  soundMuted(left: string): string;
  mute: string;
  unmute: string;
  level: Record<AlertView["level"], string>;
  state: Record<AlertView["state"], string>;
  objectClass: Record<AlertView["object_class"], string>;
  group(count: number): string;
  direction: Record<AlertView["direction"], string>;
  rule: Record<string, string>;
  outcome: Record<Outcome, string>;
  role: Record<SessionView["role"], string>;
  nodeState: Record<NodeView["state"], string>;
  sensorStatus: Record<SensorView["status"], string>;
  spectrum: Record<SensorView["spectrum"], string>;
  nodeFault(name: string, state: string, age: string): string;
  cameraFault(name: string, status: string): string;
  clockUntrusted: string;
  zonesOld: string;
  lostKey(count: number): string;
  backlog(depth: number, age: string): string;
  temperature: string;
  clock: string;
  outbox: string;
  late: string;
  silent: string;
  acknowledge: string;
  dispatch: string;
  localPeople: string;
  close: string;
  reopen: string;
  undo: string;
  cancel: string;
  send: string;
  closedAsLocal: string;
  undoneNote: string;
  team: string;
  note: string;
  reason: string;
  chooseOutcome: string;
  why: string;
  history: string;
  coordinates: string;
  copy: string;
  copied: string;
  accuracy: string;
  picture(index: number, total: number): string;
  pictureGone: string;
  mayOnlyWatch: string;
  seenBy: string;
  probability: string;
  lowered: string;
  distanceToLine: string;
  ourSide: string;
  otherSide: string;
  marker(number: string): string;
  sample: string;
  hours24: string;
  hour1: string;
  timeBar: string;
  now: string;
  help: string;
  about: string;
  aboutText: string;
  licence: string;
  source: string;
  mapData: string;
  version: string;
  humanDecides: string;
  noWebGl: string;
  targets: string;
  sector: string;
  baseMissing: string;
  unknown: string;
  north: string;
  east: string;
  zoomIn: string;
  zoomOut: string;
  closeDialog: string;
  failed: string;
  notSent: string;
  zone: Record<string, string>;
  coasting: string;
  speed: string;
  act: Record<string, string>;
  keys: [string, string][];
}

const vi: Words = {
  title: "Canh gác biên giới",
  otherLanguage: "English",
  simulated: "ĐANG MÔ PHỎNG, KHÔNG PHẢI THỰC TẾ",
  login: {
    title: "Đăng nhập",
    user: "Tên đăng nhập",
    password: "Mật khẩu",
    enter: "Đăng nhập",
    link: "Đang đăng nhập bằng liên kết một lần",
    linkFailed: "Liên kết một lần không còn hiệu lực. Đăng nhập bằng tên và mật khẩu.",
    wrong: "Không đăng nhập được",
  },
  logout: "Đăng xuất",
  map: "Bản đồ",
  alerts: "Cảnh báo",
  openAlerts: "Đang mở",
  closedAlerts: "Đã kết thúc",
  none: "không có",
  search: "Tìm cảnh báo, mốc",
  searchPlaces: "Trên bản đồ",
  onWatch: "Trực ban",
  nobodyOnWatch: "Chưa có người trực",
  loading: "Đang nhận dữ liệu",
  quiet: "Yên tĩnh",
  quietFaults: "Không có cảnh báo, nhưng có thiết bị im lặng",
  cameras: (alive, total) => `${alive}/${total} camera hoạt động`,
  lastWord: (age) => `tin cuối ${age} trước`,
  noWord: "chưa có tin nào",
  connecting: "Đang kết nối với trạm",
  stationLost: (since, age) => `MẤT LIÊN LẠC VỚI TRẠM từ ${since} (${age})`,
  stationLostHint: "Hình trên màn hình đã cũ. Trang đang tự kết nối lại; báo trực ban kỹ thuật.",
  brokerLost: "Trạm mất kết nối với các nút: chưa nhận được tin mới",
  soundLocked: "Chưa bật âm thanh",
  soundLockedHint: "chạm vào đây hoặc nhấn phím bất kỳ",
  soundOn: "Âm thanh: bật",
  soundOff: "Chưa bật âm",
  soundMuted: (left) => `Tắt tiếng ${left}`,
  mute: "Tắt tiếng 5 phút",
  unmute: "Bật lại tiếng",
  level: { warning: "Khẩn cấp", caution: "Cao", information: "Thường" },
  state: { raised: "Chưa tiếp nhận", acknowledged: "Đã tiếp nhận", assigned: "Đã giao tổ", closed: "Đã kết thúc" },
  objectClass: { Human: "Người", Boat: "Xuồng, ghe", Vehicle: "Phương tiện", Animal: "Động vật", Unknown: "Chưa rõ" },
  group: (count) => `Nhóm ${count} người`,
  direction: { in: "hướng vào phía ta", out: "hướng sang phía bạn", none: "" },
  rule: {
    crossing: "Nghi vượt biên",
    appeared: "Xuất hiện gần đường biên",
    approaching: "Đang tiến về đường biên",
    near_border: "Gần đường biên",
    in_restricted: "Trong vùng cấm",
    in_watch: "Trong khu vực theo dõi",
    loitering: "Nán lại gần đường biên",
    landing: "Cập bờ",
  },
  outcome: {
    confirmed: "Xác nhận vụ việc",
    local_people: "Dân sản xuất",
    permitted: "Được phép qua lại",
    own_patrol: "Lực lượng ta",
    animal: "Động vật",
    weather: "Thời tiết",
    device_fault: "Lỗi thiết bị",
    nothing: "Không thấy gì",
  },
  role: { guard: "Trực ban", operator: "Người điều khiển UAV", technician: "Kỹ thuật", administrator: "Quản trị" },
  nodeState: {
    online: "hoạt động",
    degraded: "hoạt động kém",
    storage_full: "đầy bộ nhớ",
    goodbye: "đã tắt",
    offline: "mất kết nối",
    silent: "im lặng",
  },
  sensorStatus: {
    online: "hoạt động",
    offline: "mất hình",
    frozen: "hình đứng yên",
    starting: "đang khởi động",
    unknown: "chưa rõ",
  },
  spectrum: { day: "Camera ban ngày", thermal: "Camera nhiệt" },
  nodeFault: (name, state, age) => `Nút ${name}: ${state}${age && `, tin cuối ${age} trước`}`,
  cameraFault: (name, status) => `Camera ${name}: ${status}`,
  clockUntrusted: "đồng hồ không tin cậy",
  zonesOld: "chưa nhận đường biên và khu vực mới",
  lostKey: (count) => `đã mất ${count} tin quan trọng`,
  backlog: (depth, age) => `${depth} tin chờ gửi, cũ nhất ${age}`,
  temperature: "Nhiệt độ",
  clock: "Đồng hồ",
  outbox: "Tin chờ gửi",
  late: "Trễ",
  silent: "Không reo",
  acknowledge: "Tiếp nhận",
  dispatch: "Giao tổ",
  localPeople: "Dân sản xuất",
  close: "Kết thúc",
  reopen: "Mở lại",
  undo: "Hoàn tác",
  cancel: "Thôi",
  send: "Gửi",
  closedAsLocal: "Đã kết thúc: dân sản xuất",
  undoneNote: "Hoàn tác: kết thúc nhầm là dân sản xuất",
  team: "Tổ tuần tra",
  note: "Ghi chú",
  reason: "Lý do",
  chooseOutcome: "Kết quả",
  why: "Vì sao có cảnh báo",
  history: "Diễn biến",
  coordinates: "Tọa độ",
  copy: "Chép",
  copied: "Đã chép",
  accuracy: "Sai số vị trí",
  picture: (index, total) => `Ảnh chứng cứ ${index}/${total}`,
  pictureGone: "Chưa có ảnh",
  mayOnlyWatch: "Vai trò này chỉ xem, không xử lý cảnh báo",
  seenBy: "Thấy bởi",
  probability: "Xác suất",
  lowered: "Hạ mức vì",
  distanceToLine: "Cách đường biên",
  ourSide: "PHÍA TA",
  otherSide: "PHÍA BẠN",
  marker: (number) => `Mốc ${number}`,
  sample: "mẫu",
  hours24: "24 giờ",
  hour1: "1 giờ",
  timeBar: "Cảnh báo theo thời gian",
  now: "bây giờ",
  help: "Trợ giúp",
  about: "Giới thiệu",
  aboutText: "Border Watch biến hình ảnh từ camera thành một câu trung thực trên bản đồ, kèm sai số.",
  licence: "Giấy phép",
  source: "Mã nguồn của bản đang chạy",
  mapData: "Dữ liệu bản đồ",
  version: "Phiên bản",
  humanDecides: "Máy chỉ nêu loại, vị trí, chuyển động và sai số. Con người quyết định.",
  noWebGl: "Trình duyệt không vẽ được bản đồ đầy đủ (không có WebGL): dùng sơ đồ và bảng.",
  targets: "Mục tiêu",
  sector: "Toàn khu vực",
  baseMissing: "Không đọc được bản đồ nền",
  unknown: "Không rõ tình hình: mất liên lạc với trạm",
  north: "Bắc",
  east: "Đông",
  zoomIn: "Phóng to",
  zoomOut: "Thu nhỏ",
  closeDialog: "Đóng",
  failed: "Trạm từ chối",
  notSent: "Chưa gửi được, trạm không trả lời. Thử lại.",
  zone: {
    restricted: "Vùng cấm",
    watch: "Khu vực theo dõi",
    ignore: "Khu vực bỏ qua",
    gate: "Cửa khẩu",
    no_go: "Khu vực cấm bay",
    go: "Khu vực được bay",
  },
  coasting: "tạm khuất, vị trí dự đoán",
  speed: "Tốc độ",
  act: {
    raised: "Máy báo",
    joined: "Gộp thêm",
    upgraded: "Nâng mức",
    updated: "Bổ sung",
    escalated: "Nhắc lại, chưa ai tiếp nhận",
    completed_late: "Bổ sung từ tin đến trễ",
    acknowledged: "Tiếp nhận",
    assigned: "Giao tổ",
    closed: "Kết thúc",
    reopened: "Mở lại",
  },
  keys: [
    ["J / K", "cảnh báo sau / trước"],
    ["A", "tiếp nhận"],
    ["D", "giao tổ tuần tra"],
    ["F", "dân sản xuất: tiếp nhận và kết thúc ngay"],
    ["Z", "hoàn tác F trong 10 giây"],
    ["C", "kết thúc, chọn kết quả"],
    ["M", "bản đồ; lần nữa: toàn khu vực"],
    ["/", "tìm, không cần dấu"],
    ["S", "tắt tiếng 5 phút / bật lại"],
    ["L", "đổi ngôn ngữ"],
    ["?", "trợ giúp này"],
    ["Esc", "đóng, về danh sách"],
  ],
};

const en: Words = {
  title: "Border Watch",
  otherLanguage: "Tiếng Việt",
  simulated: "SIMULATION, NOT REAL · ĐANG MÔ PHỎNG, KHÔNG PHẢI THỰC TẾ",
  login: {
    title: "Log in",
    user: "User name",
    password: "Password",
    enter: "Log in",
    link: "Logging in with the one-time link",
    linkFailed: "The one-time link is no longer valid. Log in with name and password.",
    wrong: "Not logged in",
  },
  logout: "Log out",
  map: "Map",
  alerts: "Alerts",
  openAlerts: "Open",
  closedAlerts: "Closed",
  none: "none",
  search: "Search alerts, markers",
  searchPlaces: "On the map",
  onWatch: "On watch",
  nobodyOnWatch: "Nobody on watch",
  loading: "Receiving data",
  quiet: "All quiet",
  quietFaults: "No alerts, but equipment is silent",
  cameras: (alive, total) => `${alive} of ${total} cameras alive`,
  lastWord: (age) => `last word ${age} ago`,
  noWord: "no word yet",
  connecting: "Connecting to the station",
  stationLost: (since, age) => `STATION LOST since ${since} (${age})`,
  stationLostHint: "What is shown is old. The page keeps trying to reconnect; tell the technician on duty.",
  brokerLost: "The station has lost its link to the nodes: no new word arrives",
  soundLocked: "Sound is not on yet",
  soundLockedHint: "touch here or press any key",
  soundOn: "Sound: on",
  soundOff: "Sound not on",
  soundMuted: (left) => `Muted ${left}`,
  mute: "Mute for 5 min",
  unmute: "Sound on again",
  level: { warning: "Warning", caution: "Caution", information: "Information" },
  state: { raised: "Not acknowledged", acknowledged: "Acknowledged", assigned: "Team sent", closed: "Closed" },
  objectClass: { Human: "Person", Boat: "Boat", Vehicle: "Vehicle", Animal: "Animal", Unknown: "Not clear" },
  group: (count) => `Group of ${count} people`,
  direction: { in: "towards our side", out: "towards the other side", none: "" },
  rule: {
    crossing: "Suspected crossing",
    appeared: "Appeared near the border",
    approaching: "Approaching the border",
    near_border: "Near the border",
    in_restricted: "In a prohibited zone",
    in_watch: "In a watched zone",
    loitering: "Lingering near the border",
    landing: "Landing",
  },
  outcome: {
    confirmed: "Incident confirmed",
    local_people: "Local people",
    permitted: "Permitted",
    own_patrol: "Own patrol",
    animal: "Animal",
    weather: "Weather",
    device_fault: "Device fault",
    nothing: "Nothing found",
  },
  role: { guard: "Guard", operator: "Drone operator", technician: "Technician", administrator: "Administrator" },
  nodeState: {
    online: "online",
    degraded: "degraded",
    storage_full: "storage full",
    goodbye: "shut down",
    offline: "offline",
    silent: "silent",
  },
  sensorStatus: { online: "online", offline: "no picture", frozen: "picture frozen", starting: "starting", unknown: "not known" },
  spectrum: { day: "Daylight camera", thermal: "Thermal camera" },
  nodeFault: (name, state, age) => `Node ${name}: ${state}${age && `, last word ${age} ago`}`,
  cameraFault: (name, status) => `Camera ${name}: ${status}`,
  clockUntrusted: "clock not trusted",
  zonesOld: "line and zones not up to date",
  lostKey: (count) => `${count} key messages lost`,
  backlog: (depth, age) => `${depth} messages waiting, oldest ${age}`,
  temperature: "Temperature",
  clock: "Clock",
  outbox: "Waiting to be sent",
  late: "Late",
  silent: "Does not ring",
  acknowledge: "Acknowledge",
  dispatch: "Send a team",
  localPeople: "Local people",
  close: "Close",
  reopen: "Reopen",
  undo: "Undo",
  cancel: "Cancel",
  send: "Send",
  closedAsLocal: "Closed: local people",
  undoneNote: "Undone: closed as local people by mistake",
  team: "Patrol team",
  note: "Note",
  reason: "Reason",
  chooseOutcome: "Outcome",
  why: "Why this alert",
  history: "History",
  coordinates: "Coordinates",
  copy: "Copy",
  copied: "Copied",
  accuracy: "Position accuracy",
  picture: (index, total) => `Evidence picture ${index} of ${total}`,
  pictureGone: "No picture yet",
  mayOnlyWatch: "This role watches and does not handle alerts",
  seenBy: "Seen by",
  probability: "Probability",
  lowered: "Rank lowered because",
  distanceToLine: "Distance to the line",
  ourSide: "OUR SIDE",
  otherSide: "OTHER SIDE",
  marker: (number) => `Marker ${number}`,
  sample: "sample",
  hours24: "24 hours",
  hour1: "1 hour",
  timeBar: "Alerts over time",
  now: "now",
  help: "Help",
  about: "About",
  aboutText: "Border Watch turns camera pictures into one honest sentence on a map, with its uncertainty.",
  licence: "Licence",
  source: "Source of the running version",
  mapData: "Map data",
  version: "Version",
  humanDecides: "The machine states class, place, motion and uncertainty. A person decides.",
  noWebGl: "This browser cannot draw the full map (no WebGL): sketch and table instead.",
  targets: "Targets",
  sector: "Whole sector",
  baseMissing: "The base map cannot be read",
  unknown: "Nothing is known: the station is lost",
  north: "north",
  east: "east",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  closeDialog: "Close",
  failed: "The station refused",
  notSent: "Not sent, the station does not answer. Try again.",
  zone: {
    restricted: "Prohibited zone",
    watch: "Watch zone",
    ignore: "Ignored zone",
    gate: "Gate",
    no_go: "No-fly zone",
    go: "Flight area",
  },
  coasting: "out of sight, place predicted",
  speed: "Speed",
  act: {
    raised: "Raised by the machine",
    joined: "Joined by more",
    upgraded: "Level raised",
    updated: "Completed",
    escalated: "Called again, nobody acknowledged",
    completed_late: "Completed by late news",
    acknowledged: "Acknowledged",
    assigned: "Team sent",
    closed: "Closed",
    reopened: "Reopened",
  },
  keys: [
    ["J / K", "next / previous alert"],
    ["A", "acknowledge"],
    ["D", "send a patrol team"],
    ["F", "local people: acknowledge and close at once"],
    ["Z", "undo F within 10 seconds"],
    ["C", "close, choose an outcome"],
    ["M", "map; again: whole sector"],
    ["/", "search, diacritics not needed"],
    ["S", "mute for 5 minutes / sound on again"],
    ["L", "change language"],
    ["?", "this help"],
    ["Esc", "close, back to the list"],
  ],
};

export const WORDS: Record<Language, Words> = { vi, en };
