"""What Android's commands print, in their real layout; values are made up."""

GETPROP = """[dalvik.vm.heapsize]: [256m]
[persist.sys.timezone]: [Asia/Shanghai]
[ro.boot.hardware.revision]: [B]
[ro.boot.serialno]: [P2L4711A00815]
[ro.build.display.id]: [P2_3.0.26_240603 ]
[ro.build.version.release]: [11]
[ro.build.version.sdk]: [30]
[ro.product.cpu.abi]: [arm64-v8a]
[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a,armeabi]
[ro.product.manufacturer]: [SUNMI]
[ro.product.model]: [P2]
[ro.serialno]: [P2L4711A00815]
[ro.sunmi.hardware]: [P2]
[ro.sunmi.serial]: [P2L4711A00815]
[ro.vendor.notes]: [first line
[second]: [line] of the same
third line]
[sys.boot_completed]: [1]
[wifi.interface]: []
"""

PACKAGES = """package:/system/framework/framework-res.apk=android versionCode:30 uid:1000
package:/data/app/~~Zm9v==/com.acme.pay-YmFy==/base.apk=com.acme.pay versionCode:10400  installer=null uid:10100
package:/system_ext/priv-app/Settings/Settings.apk=com.android.settings versionCode:30  installer=null uid:1000
package:/data/app/~~YW==/webview-e=/base.apk=com.android.webview versionCode:438910534  installer=a.shop uid:10074
WARNING: linker: something a vendor prints
"""

PACKAGES_OLD = """package:/system/app/Settings.apk=com.android.settings
package:/data/app/com.acme.pay-1.apk=com.acme.pay
"""

DUMPSYS_PAY = """Packages:
  Package [com.acme.pay] (5c9d1e3):
    userId=10100
    pkg=Package{a01f2e0 com.acme.pay}
    codePath=/data/app/~~Zm9v==/com.acme.pay-YmFy==
    versionCode=10400 minSdk=22 targetSdk=29
    versionName=1.4.0 beta 2
    signatures=PackageSignatures{7d50f26 version:2, signatures:[5c3d1e2f], past signatures:[]}
"""

DUMPSYS_WEBVIEW = """Packages:
  Package [com.android.webview] (aa9d1e3):
    versionCode=438910534 minSdk=21 targetSdk=29
    versionName=87.0.4280.101
Hidden system packages:
  Package [com.android.webview] (bb9d1e3):
    versionCode=366211234 minSdk=21 targetSdk=29
    versionName=74.0.3729.185
"""

DUMPSYS_ALL_OLD = """Packages:
  Package [com.android.settings] (414d3b58):
    userId=1000 gids=[3002, 3001]
    versionCode=17
    versionName=4.2.2-1234
  Package [com.acme.pay] (41f6a328):
    versionCode=10300
    versionName=null
"""

BATTERY = """Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  Max charging current: 500000
  status: 2
  health: 2
  present: true
  level: 87
  scale: 100
  voltage: 7820
  temperature: 271
  technology: Li-ion
"""

DF = """Filesystem      1K-blocks    Used Available Use% Mounted on
/dev/block/dm-8  11238860 3011140   8211336  27% /data
"""

DF_WRAPPED = """Filesystem           1K-blocks      Used Available Use% Mounted on
/dev/block/platform/soc.0/by-name/userdata
                       5118392   1203356   3915036  24% /data
"""

DF_TOOLBOX = """Filesystem               Size     Used     Free   Blksize
/data                    5.2G     1.1G     4.1G   4096
"""
